-- wait_agent where there is nothing to wait for, and where the wait is too short.
INSERT INTO agent_types (name) VALUES ('t_wait');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_wait', 'echo', 'echo');
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 900001;

-- No such job.
SELECT wait_agent(1234567890123);
\echo :SQLSTATE
SELECT wait_agent(NULL);

-- A job of the own transaction cannot run before its commit: said at once instead of waiting in vain.
BEGIN;
SELECT enqueue_agent('t_wait', '{"text": "hola"}') AS id \gset
SELECT wait_agent(:id);
\echo :SQLSTATE
ROLLBACK;

-- Too short: the job goes on all the same.
SELECT enqueue_agent('t_wait', '{"text": "hola"}', delay => '400 ms') AS id \gset
SELECT wait_agent(:id, '20 ms');
\echo :SQLSTATE
SELECT wait_agent(:id) ->> 'text' AS text;
SELECT wait_agent(:id, '-1 s');
\echo :SQLSTATE

DELETE FROM agent_queue WHERE agent_type = 't_wait';
DELETE FROM agent_routes WHERE agent_type = 't_wait';
DELETE FROM agent_types WHERE name = 't_wait';
