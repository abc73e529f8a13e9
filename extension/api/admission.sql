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
