-- Trigger functions of the library. The triggers themselves are made in schema_last/90_triggers.sql.
CREATE OR REPLACE FUNCTION agent_queue_admit() RETURNS trigger
    LANGUAGE C VOLATILE
    AS 'MODULE_PATHNAME', 'aq_admit';
COMMENT ON FUNCTION agent_queue_admit() IS
    'Admission: checks a new job that has no status, and fills in status, queue, priority, times and place in line';

CREATE OR REPLACE FUNCTION agent_queue_config_changed() RETURNS trigger
    LANGUAGE C VOLATILE
    AS 'MODULE_PATHNAME', 'aq_config_changed';
COMMENT ON FUNCTION agent_queue_config_changed() IS 'Tells sessions and workers to read the configuration again';
