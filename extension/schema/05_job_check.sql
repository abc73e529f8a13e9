-- The rules of a job's row, as one function. Postgres reads the text of every CHECK anew in each statement; eight
-- constraints were a fifth of a settle. Called by the one CHECK of agent_queue. Everybody may call it, because whoever
-- inserts does (schema_last/93_access.sql). Tested in sql/config_rows.sql.
CREATE FUNCTION @extschema@.agent_queue_check_job(
    status text, has_result boolean, error_code text, priority int, retry_count int, max_retries int,
    agent_type text, queue text, idempotency_key text
) RETURNS boolean
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'aq_check_job';
COMMENT ON FUNCTION @extschema@.agent_queue_check_job(text, boolean, text, int, int, int, text, text, text) IS
    'Of the machinery: true, or the error that says what is wrong with a row of agent_queue';
