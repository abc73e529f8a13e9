-- Attempts whose job was cancelled or deleted while they were under way: until the end of their call is noted, by the
-- settle that also books it, they hold what the job held. Should their worker die before that, another one finds them
-- here. Written by cancel_agent() and by the triggers on agent_queue. Tested in test/tap/315_orphans.pl.
CREATE TABLE @extschema@.agent_orphans (
    queue_id      bigint NOT NULL,
    started_at    timestamptz NOT NULL,
    claim         uuid NOT NULL,
    user_id       uuid,
    retry_count   int NOT NULL,
    request_bytes int NOT NULL,
    agent_type    text COLLATE "C" NOT NULL,
    hold_usd      numeric,

    CONSTRAINT agent_orphans_pkey PRIMARY KEY (queue_id, started_at)
) WITH (
    -- Every row is dead within minutes: as in agent_queue, vacuum goes by number, at full speed, and never truncates.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_threshold = -1,
    autovacuum_vacuum_cost_delay = 0,
    vacuum_truncate = false
);
COMMENT ON TABLE @extschema@.agent_orphans IS
    'Of the machinery: calls whose job was cancelled or deleted meanwhile, until what they cost is in api_usage';
COMMENT ON COLUMN @extschema@.agent_orphans.queue_id IS 'agent_queue.id, of a job that may be gone';
COMMENT ON COLUMN @extschema@.agent_orphans.started_at IS 'agent_queue.started_at of the attempt';
COMMENT ON COLUMN @extschema@.agent_orphans.claim IS 'Which worker has the call';
COMMENT ON COLUMN @extschema@.agent_orphans.retry_count IS 'Failed attempts before this one that count';
COMMENT ON COLUMN @extschema@.agent_orphans.request_bytes IS
    'Of request_data as text. It is all that is kept of the request: what was deleted is gone';
COMMENT ON COLUMN @extschema@.agent_orphans.hold_usd IS 'US dollars reserved for the attempt';
