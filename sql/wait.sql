-- wait_agent where there is nothing to wait for, and where the wait is too short.
INSERT INTO agent_types (name) VALUES ('t_wait');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_wait', 'echo', 'echo');
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 900001;

-- No such job.
SELECT wait_agent(1234567890123);
\echo :SQLSTATE
SELECT wait_agent(NULL) IS NULL AS is_null;

-- A job of the own transaction cannot run before its commit: said at once instead of waiting in vain.
BEGIN;
SELECT enqueue_agent('t_wait', '{"text": "hola"}') AS id \gset
SELECT wait_agent(:id);
\echo :SQLSTATE
ROLLBACK;

-- Too short: the job goes on all the same.
-- The detail says until when a scheduled job waits; the time is taken out here.
CREATE FUNCTION wait_in_vain(job bigint, timeout interval) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    PERFORM wait_agent(job, timeout);
    RETURN 'did not give up';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format(E'%s: %s\n%s\n%s', SQLSTATE, SQLERRM, regexp_replace(detail, 'until [^)]+', 'until …'), hint);
END
$$;
SELECT enqueue_agent('t_wait', '{"text": "hola"}', delay => '1 s') AS id \gset
SELECT wait_in_vain(:id, '20 ms');
SELECT wait_in_vain(:id, '0');
SELECT wait_agent(:id) ->> 'text' AS text;
SELECT wait_agent(:id, '0') ->> 'text' AS text;
DROP FUNCTION wait_in_vain(bigint, interval);
SELECT wait_agent(:id, '-1 s');
\echo :SQLSTATE

DELETE FROM agent_queue WHERE agent_type = 't_wait';
DELETE FROM agent_routes WHERE agent_type = 't_wait';
DELETE FROM agent_types WHERE name = 't_wait';
