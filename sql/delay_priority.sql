-- When a job runs: delay, run_at, expiry, and the place in line.
INSERT INTO agent_types (name, priority, expires_in) VALUES ('t_delay', 3, '10 min');
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 500001;

-- A delay schedules; expiry counts from when the job may run.
BEGIN;
SELECT enqueue_agent('t_delay', '{"text": "later"}', delay => '1 hour') IS NOT NULL AS has_id;
INSERT INTO agent_queue (agent_type, request_data, run_at)
VALUES ('t_delay', '{"text": "at"}', now() + interval '2 hours');
INSERT INTO agent_queue (agent_type, request_data, run_at)
VALUES ('t_delay', '{"text": "past"}', now() - interval '1 hour');
SELECT request_data ->> 'text' AS text, status, wait_reason, run_at > created_at AS later, expires_at - run_at AS expires_in,
       priority FROM agent_queue WHERE agent_type = 't_delay' ORDER BY id;
SELECT run_at - created_at AS delay FROM agent_queue WHERE agent_type = 't_delay' AND request_data ->> 'text' = 'later';
ROLLBACK;

-- The place in line: by priority, within one priority first in, first out.
BEGIN;
SELECT count(enqueue_agent('t_delay', jsonb_build_object('text', priority || ' ' || round), priority => priority))
FROM (SELECT priority, round FROM generate_series(1, 2) AS round, unnest(ARRAY[9, 5, 1]) AS priority
      ORDER BY round, priority DESC) AS p;
SELECT enqueue_agent('t_delay', '{"text": "of the type"}') IS NOT NULL AS has_id;
SELECT request_data ->> 'text' AS text, priority FROM agent_queue WHERE agent_type = 't_delay' ORDER BY claim_key, id;
ROLLBACK;

-- It runs when its time has come, and not before.
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_delay', 'echo', 'echo');
SELECT enqueue_agent('t_delay', '{"text": "later"}', delay => '300 ms') AS id \gset
SELECT wait_agent(:id) ->> 'text' AS text;
SELECT status, started_at >= run_at AS in_time, run_at - created_at AS delay, wait_reason FROM agent_queue WHERE id = :id;

-- A job that would expire before it may run is refused.
INSERT INTO agent_queue (agent_type, request_data, expires_at) VALUES ('t_delay', '{"text": "never"}', now());
\echo :SQLSTATE

-- A paused queue takes jobs in, does not call them, and lets them go when it is open again; what has expired meanwhile
-- is not called.
INSERT INTO agent_queues (name, paused) VALUES ('t_delay_paused', true);
INSERT INTO agent_types (name, queue, expires_in) VALUES ('t_delay_paused', 't_delay_paused', '1 ms');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_delay_paused', 'echo', 'echo');
SELECT enqueue_agent('t_delay_paused', '{"text": "too late"}') AS late_id \gset
SELECT enqueue_agent('t_delay_paused', '{"text": "patient"}', expires_in => '1 hour') AS patient_id \gset
-- It is the job's queue that counts, not its agent type's.
SELECT enqueue_agent('t_delay', '{"text": "patient too"}', queue => 't_delay_paused') AS moved_id \gset
SELECT enqueue_agent('t_delay_paused', '{"text": "elsewhere"}', expires_in => '1 hour', queue => 'agents') AS elsewhere_id \gset
SELECT wait_agent(:elsewhere_id) ->> 'text' AS text;
SELECT pg_sleep(0.3);
SELECT id = :late_id AS late, status, wait_reason FROM agent_queue WHERE queue = 't_delay_paused' ORDER BY id;
SELECT waiting, active, completed, failed FROM queue_stats WHERE queue = 't_delay_paused';
UPDATE agent_queues SET paused = false WHERE name = 't_delay_paused';
SELECT wait_agent(:patient_id) ->> 'text' AS text, wait_agent(:moved_id) ->> 'text' AS moved_text;
SELECT wait_agent(:late_id);
\echo :SQLSTATE
SELECT status, error_code, error_message, completed_at >= expires_at AS after_expiry, num_nulls(started_at, provider, model,
       input_tokens, cost_usd, claim, hold_usd) AS nulls_of_7
FROM agent_queue WHERE id = :late_id;
SELECT count(*) AS calls FROM api_usage WHERE queue_id = :late_id;
SELECT waiting, active, completed, failed, oldest, wait_p50 > '0.2 s' AS waited_p50, wait_p95 >= wait_p50 AS waited_p95
FROM queue_stats WHERE queue = 't_delay_paused';

DELETE FROM agent_queue WHERE agent_type LIKE 't\_delay%';
DELETE FROM agent_routes WHERE agent_type LIKE 't\_delay%';
DELETE FROM agent_types WHERE name LIKE 't\_delay%';
DELETE FROM agent_queues WHERE name = 't_delay_paused';
