-- Queues: paused, resumed, bounded. Bounds under load: test/tap/225_queues.pl.
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 910001;
INSERT INTO agent_queues (name) VALUES ('t_queue');
INSERT INTO agent_types (name, queue, expires_in) VALUES ('t_queue', 't_queue', NULL);
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_queue', 'echo', 'echo');

-- What they answer.
SELECT pause_queue('t_queue') AS paused, pause_queue('t_queue') AS paused_again;
SELECT pause_queue(NULL) IS NULL AS is_null;
SELECT pause_queue('t_queue_of_nobody');
\echo :SQLSTATE
SELECT resume_queue('t_queue_of_nobody');
\echo :SQLSTATE

-- Paused: taken in, and not called. Another queue of the same agent type goes on.
SELECT enqueue_agent('t_queue', '{"text": "patient"}') AS patient_id \gset
SELECT enqueue_agent('t_queue', '{"text": "elsewhere"}', queue => 'agents') AS elsewhere_id \gset
SELECT wait_agent(:elsewhere_id) ->> 'text' AS text;
SELECT status, wait_reason FROM agent_queue WHERE id = :patient_id;

-- A rolled back resume is none.
BEGIN;
SELECT resume_queue('t_queue') AS resumed;
ROLLBACK;
SELECT wait_agent(:patient_id, '100 ms');
SELECT status FROM agent_queue WHERE id = :patient_id;

-- Resumed: called at once.
SELECT resume_queue('t_queue') AS resumed;
SELECT wait_agent(:patient_id) ->> 'text' AS text;
SELECT resume_queue('t_queue') AS resumed_again;

-- A bound of 0 is a queue that calls nothing; a higher one lets the jobs go.
UPDATE agent_queues SET concurrency = 0 WHERE name = 't_queue';
SELECT enqueue_agent('t_queue', '{"text": "bounded"}') AS bounded_id \gset
SELECT wait_agent(:bounded_id, '100 ms');
UPDATE agent_queues SET concurrency = 1 WHERE name = 't_queue';
SELECT wait_agent(:bounded_id) ->> 'text' AS text;
SELECT count(*) AS jobs FROM enqueue_agents('t_queue', ARRAY(SELECT jsonb_build_object('text', n::text) FROM generate_series(1, 20) AS n));
SELECT count(wait_agent(id)) AS completed FROM agent_queue WHERE agent_type = 't_queue' AND status <> 'failed';

-- Jobs of an agent type that is new, in a queue that is not its own: they run without anybody having to look for them.
INSERT INTO agent_types (name) VALUES ('t_queue_new');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_queue_new', 'echo', 'echo');
SELECT enqueue_agent('t_queue_new', '{"text": "stranger"}', queue => 't_queue') AS stranger_id \gset
SELECT wait_agent(:stranger_id) ->> 'text' AS text;

-- Not for everybody.
CREATE ROLE t_queue_user;
SET ROLE t_queue_user;
SELECT pause_queue('t_queue');
\echo :SQLSTATE
RESET ROLE;
DROP ROLE t_queue_user;

DELETE FROM agent_queue WHERE agent_type LIKE 't\_queue%';
DELETE FROM agent_routes WHERE agent_type LIKE 't\_queue%';
DELETE FROM agent_types WHERE name LIKE 't\_queue%';
DELETE FROM agent_queues WHERE name = 't_queue';
