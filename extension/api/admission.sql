-- Trigger functions of the library. The triggers themselves are made in schema_last/90_triggers.sql.
CREATE OR REPLACE FUNCTION @extschema@.agent_queue_admit() RETURNS trigger
    LANGUAGE C VOLATILE
    AS 'MODULE_PATHNAME', 'aq_admit';
COMMENT ON FUNCTION @extschema@.agent_queue_admit() IS
    'Admission: checks a new job that has no status, and fills in status, queue, priority, times and place in line';

CREATE OR REPLACE FUNCTION @extschema@.agent_queue_config_changed() RETURNS trigger
    LANGUAGE C VOLATILE
    AS 'MODULE_PATHNAME', 'aq_config_changed';
COMMENT ON FUNCTION @extschema@.agent_queue_config_changed() IS
    'Tells sessions and workers to read the configuration again';

CREATE OR REPLACE FUNCTION @extschema@.agent_queue_users_changed() RETURNS trigger
    LANGUAGE C VOLATILE
    AS 'MODULE_PATHNAME', 'aq_users_changed';
COMMENT ON FUNCTION @extschema@.agent_queue_users_changed() IS 'Tells sessions and workers to read agent_users again';

-- A publisher's claim and place in line say nothing here: with them a subscriber would call its jobs a second time.
CREATE OR REPLACE FUNCTION @extschema@.agent_queue_keep_replicated() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.claim := OLD.claim;
    NEW.claim_key := OLD.claim_key;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@.agent_queue_keep_replicated() IS
    'A replicated change leaves a job out of line until adopt_jobs(), and in its place afterwards';

-- As the owner: who may delete jobs need not have rights on agent_orphans.
CREATE OR REPLACE FUNCTION @extschema@.agent_queue_note_orphans() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO @extschema@.agent_orphans (queue_id, started_at, claim, user_id, retry_count, request_bytes,
                                               agent_type, hold_usd)
        VALUES (OLD.id, coalesce(OLD.started_at, OLD.created_at), OLD.claim, OLD.user_id, OLD.retry_count,
                octet_length(OLD.request_data::text), OLD.agent_type, OLD.hold_usd)
        ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO @extschema@.agent_orphans (queue_id, started_at, claim, user_id, retry_count, request_bytes,
                                               agent_type, hold_usd)
        SELECT q.id, coalesce(q.started_at, q.created_at), q.claim, q.user_id, q.retry_count,
               octet_length(q.request_data::text), q.agent_type, q.hold_usd
        FROM @extschema@.agent_queue AS q
        WHERE q.status = 'processing' AND q.claim_key IS NOT NULL AND q.claim IS NOT NULL
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.agent_queue_note_orphans() IS
    'Keeps what is needed to account for calls whose jobs are deleted while they run';
