-- The same key of the same user is the same job. Jobs of the system are one more user. Delayed by an hour, so that no
-- worker touches them.
INSERT INTO agent_types (name) VALUES ('t_idempotency'), ('t_idempotency_other');
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 700001;

SELECT enqueue_agent('t_idempotency', '{"text": "hola", "to": "en"}',
                     delay => '1 hour', idempotency_key => 'order 1') AS id \gset
-- Again: the same id, also in another order of the members.
SELECT enqueue_agent('t_idempotency', '{"text": "hola", "to": "en"}',
                     delay => '1 hour', idempotency_key => 'order 1') = :id AS same;
SELECT enqueue_agent('t_idempotency', '{"to": "en", "text": "hola"}',
                     delay => '1 hour', idempotency_key => 'order 1') = :id AS same;
-- Another payload, another agent type: 23505.
SELECT enqueue_agent('t_idempotency', '{"text": "adios"}', delay => '1 hour', idempotency_key => 'order 1');
\echo :SQLSTATE
SELECT enqueue_agent('t_idempotency_other', '{"text": "hola", "to": "en"}', delay => '1 hour', idempotency_key => 'order 1');
\echo :SQLSTATE
-- A plain INSERT: 23505 with the key in DETAIL.
INSERT INTO agent_queue (agent_type, request_data, run_at, idempotency_key)
VALUES ('t_idempotency', '{"text": "hola", "to": "en"}', now() + interval '1 hour', 'order 1');
\echo :SQLSTATE
-- … which ON CONFLICT may ignore.
INSERT INTO agent_queue (agent_type, request_data, run_at, idempotency_key)
VALUES ('t_idempotency', '{"text": "hola", "to": "en"}', now() + interval '1 hour', 'order 1') ON CONFLICT DO NOTHING;

-- Another user's key is another job; the user's own again is not.
SELECT enqueue_agent('t_idempotency', '{"text": "hola", "to": "en"}', delay => '1 hour', idempotency_key => 'order 1',
                     user_id => '00000000-0000-0000-0000-0000000000d1') AS users_id \gset
SELECT :users_id <> :id AS another;
SELECT enqueue_agent('t_idempotency', '{"text": "hola", "to": "en"}', delay => '1 hour', idempotency_key => 'order 1',
                     user_id => '00000000-0000-0000-0000-0000000000d1') = :users_id AS same;
SELECT enqueue_agent('t_idempotency', '{"text": "hola", "to": "en"}', delay => '1 hour', idempotency_key => 'order 1',
                     user_id => '00000000-0000-0000-0000-0000000000d2') NOT IN (:id, :users_id) AS another;

-- Without a key every call is a job.
SELECT enqueue_agent('t_idempotency', '{"text": "same"}', delay => '1 hour')
     <> enqueue_agent('t_idempotency', '{"text": "same"}', delay => '1 hour') AS two_jobs;

-- Within one transaction, and after a rollback.
BEGIN;
SELECT enqueue_agent('t_idempotency', '{"text": "x"}', delay => '1 hour', idempotency_key => 'order 2') AS first_id \gset
SELECT enqueue_agent('t_idempotency', '{"text": "x"}', delay => '1 hour', idempotency_key => 'order 2') = :first_id AS same;
ROLLBACK;
SELECT enqueue_agent('t_idempotency', '{"text": "y"}', delay => '1 hour', idempotency_key => 'order 2') > :first_id AS new_job;

SELECT user_id, idempotency_key, count(*) FROM agent_queue WHERE agent_type LIKE 't_idempotency%' GROUP BY 1, 2 ORDER BY 1, 2;
DELETE FROM agent_queue WHERE agent_type LIKE 't_idempotency%';
DELETE FROM agent_types WHERE name LIKE 't_idempotency%';
