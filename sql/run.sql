-- CALL run_agent: enqueues, commits, waits. What happens when the worker dies meanwhile is in test/tap/220_verbs.pl.
\set SHOW_CONTEXT never
INSERT INTO agent_queues (name, paused) VALUES ('t_run_paused', true);
INSERT INTO agent_types (name) VALUES ('t_run');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_run', 'echo', 'echo');
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 930001;

CALL run_agent('t_run', '{"text": "hola"}');
CALL run_agent('t_run', '{"text": "named"}', priority => 1, expires_in => '1 min', max_retries => 0, skip_cache => true,
               idempotency_key => 't_run', timeout => '20 s');
-- The same key is the same job: its result is there already.
CALL run_agent('t_run', '{"text": "named"}', idempotency_key => 't_run', timeout => '0');
SELECT request_data ->> 'text' AS text, priority, max_retries, expires_at = run_at + interval '1 min' AS expires
FROM agent_queue WHERE idempotency_key = 't_run';
-- A large request comes out of toast, a large result goes back.
CREATE TABLE t_run_requests AS
SELECT jsonb_build_object('text', string_agg(md5(n::text), '')) AS request FROM generate_series(1, 2000) AS n;
DO $$
DECLARE
    large t_run_requests;
    answer jsonb;
BEGIN
    SELECT * INTO large FROM t_run_requests;
    CALL run_agent('t_run', large.request, answer);
    RAISE NOTICE 'whole: %', answer ->> 'text' = large.request ->> 'text';
END
$$;
DROP TABLE t_run_requests;

-- From PL/pgSQL outside of a transaction block, as often as one likes, with other commits between.
CREATE PROCEDURE t_run_twice(INOUT said text) LANGUAGE plpgsql AS $$
DECLARE
    answer jsonb;
BEGIN
    CALL run_agent('t_run', '{"text": "one"}', answer);
    said := answer ->> 'text';
    COMMIT;
    CALL run_agent('t_run', '{"text": "two"}', answer);
    said := said || ', ' || (answer ->> 'text');
END
$$;
CALL t_run_twice(NULL);

-- Not inside a transaction block, a function, a block with EXCEPTION or an atomic procedure: nothing is enqueued.
BEGIN;
CALL run_agent('t_run', '{"text": "in vain"}');
\echo :SQLSTATE
ROLLBACK;
BEGIN;
DO $$ DECLARE answer jsonb; BEGIN CALL run_agent('t_run', '{"text": "in vain"}', answer); END $$;
ROLLBACK;
BEGIN;
CALL t_run_twice(NULL);
ROLLBACK;
CREATE FUNCTION t_run_function() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    answer jsonb;
BEGIN
    CALL run_agent('t_run', '{"text": "in vain"}', answer);
    RETURN answer;
END
$$;
SELECT t_run_function();
\echo :SQLSTATE
DO $$
DECLARE
    answer jsonb;
BEGIN
    CALL run_agent('t_run', '{"text": "in vain"}', answer);
EXCEPTION WHEN active_sql_transaction THEN
    RAISE NOTICE '%: %', SQLSTATE, SQLERRM;
END
$$;
SELECT count(*) FROM agent_queue WHERE request_data ->> 'text' = 'in vain';

-- What cannot be enqueued is refused as by enqueue_agent.
CALL run_agent('t_run_none', '{"text": "hola"}');
\echo :SQLSTATE
CALL run_agent(NULL, '{"text": "hola"}');
CALL run_agent('t_run', '{"text": "hola"}', timeout => NULL);
CALL run_agent('t_run', '{"text": "hola"}', timeout => '-1 s');
\echo :SQLSTATE

-- Too short: the job is committed and goes on.
CALL run_agent('t_run', '{"text": "later"}', idempotency_key => 't_run_later', queue => 't_run_paused', timeout => '20 ms');
\echo :SQLSTATE
-- The wait is cancelled, the job is not.
SET statement_timeout = '200 ms';
CALL run_agent('t_run', '{"text": "later"}', idempotency_key => 't_run_later', queue => 't_run_paused');
\echo :SQLSTATE
RESET statement_timeout;
UPDATE agent_queues SET paused = false WHERE name = 't_run_paused';
SELECT wait_agent(id) ->> 'text' AS text FROM agent_queue WHERE idempotency_key = 't_run_later';

-- A snapshot of the whole transaction would never see the end; here each look has its own.
SET default_transaction_isolation = 'repeatable read';
CALL run_agent('t_run', '{"text": "repeatable"}');
SET default_transaction_isolation = 'serializable';
CALL run_agent('t_run', '{"text": "serializable"}');
RESET default_transaction_isolation;

-- A job that fails raises its error.
INSERT INTO agent_types (name) VALUES ('t_run_no_route');
CALL run_agent('t_run_no_route', '{"text": "hola"}', idempotency_key => 't_run_no_route');
\echo :SQLSTATE

-- The rights are the caller's: with no right to look, the job goes on and the error says which it is.
CREATE ROLE regress_agent_client;
SELECT grant_agent_access('regress_agent_client');
REVOKE SELECT ON agent_queue FROM regress_agent_client;
GRANT SELECT (id) ON agent_queue TO regress_agent_client;
SET ROLE regress_agent_client;
SET agent_queue.user_id = '00000000-0000-0000-0000-0000000000a1';
CALL run_agent('t_run', '{"text": "blind"}');
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT ON agent_queue TO regress_agent_client;
SET ROLE regress_agent_client;
CALL run_agent('t_run', '{"text": "own"}');
RESET ROLE;
RESET agent_queue.user_id;

DROP FUNCTION t_run_function();
DROP PROCEDURE t_run_twice(text);
DELETE FROM agent_queue WHERE agent_type IN ('t_run', 't_run_no_route');
DELETE FROM agent_routes WHERE agent_type = 't_run';
DELETE FROM agent_types WHERE name IN ('t_run', 't_run_no_route');
DELETE FROM agent_queues WHERE name = 't_run_paused';
SELECT revoke_agent_access('regress_agent_client');
REVOKE SELECT (id) ON agent_queue FROM regress_agent_client;
DROP ROLE regress_agent_client;
