-- The text so far of streamed answers, in parts: inserted while a call is under way, removed when the job is settled. Not
-- worth a WAL record: after a crash the attempt is lost anyway, and the table empty. Read by agent_stream(). sql/stream.sql
CREATE UNLOGGED TABLE @extschema@.agent_stream_parts (
    queue_id   bigint NOT NULL,
    started_at timestamptz NOT NULL,
    number     int NOT NULL,
    text       text NOT NULL,

    CONSTRAINT agent_stream_parts_pkey PRIMARY KEY (queue_id, started_at, number)
) WITH (
    -- Every row is dead within minutes: as in agent_queue, vacuum goes by number, at full speed, and never truncates.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_threshold = -1,
    autovacuum_vacuum_cost_delay = 0,
    vacuum_truncate = false
);
COMMENT ON TABLE @extschema@.agent_stream_parts IS
    'Of the machinery: the text so far of streamed calls under way; see agent_stream()';
COMMENT ON COLUMN @extschema@.agent_stream_parts.queue_id IS 'agent_queue.id';
COMMENT ON COLUMN @extschema@.agent_stream_parts.started_at IS 'agent_queue.started_at of the attempt';
COMMENT ON COLUMN @extschema@.agent_stream_parts.number IS '1 is the first part of the attempt';
