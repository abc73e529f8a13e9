-- Admission: what a new job is given, and what is refused with which SQLSTATE. Accepted jobs are rolled back here, so that
-- no worker sees them. The CONTEXT of errors, which is our own INSERT, is left out.
\set SHOW_CONTEXT never
INSERT INTO agent_types (name, queue, priority, max_retries, expires_in) VALUES
    ('t_enqueue', 'reports', 7, 2, '10 min'), ('t_enqueue_never', 'agents', 5, 3, NULL);

-- A plain INSERT gets everything from the agent type.
BEGIN;
INSERT INTO agent_queue (agent_type, request_data) VALUES ('t_enqueue', '{"text": "hola"}');
SELECT status, queue, priority, max_retries, retry_count, cached, expires_at - run_at AS expires_in,
       created_at BETWEEN now() AND clock_timestamp() AS created_now, run_at = created_at AS may_run_at_once,
       claim_key IS NOT NULL AS in_line, num_nulls(user_id, started_at, completed_at, result, error_code, error_message,
       wait_reason, idempotency_key, provider, model, input_tokens, output_tokens, cost_usd, claim) AS nulls_of_14
FROM agent_queue WHERE agent_type = 't_enqueue';
ROLLBACK;

-- What is given is kept. A queue has to be there.
BEGIN;
INSERT INTO agent_queues (name) VALUES ('nowhere special');
INSERT INTO agent_queue (agent_type, request_data, queue, priority, max_retries, expires_at)
VALUES ('t_enqueue', '{"text": "hola"}', 'notifications', 1, 0, now() + interval '3 hours');
SELECT enqueue_agent('t_enqueue', '{"text": "hola"}', priority => 10, expires_in => '1 day', max_retries => 100,
                     queue => 'nowhere special') IS NOT NULL AS has_id;
SELECT status, queue, priority, max_retries, date_trunc('minute', expires_at - now()) AS expires_in
FROM agent_queue WHERE agent_type = 't_enqueue' ORDER BY id;
SELECT waiting, active, scheduled, completed, failed, oldest >= now() AS has_oldest, wait_p50, wait_p95
FROM queue_stats WHERE queue = 'nowhere special';
ROLLBACK;
SELECT enqueue_agent('t_enqueue', '{"text": "hola"}', queue => 'nowhere special');
\echo :SQLSTATE
INSERT INTO agent_queue (agent_type, request_data, queue) VALUES ('t_enqueue', '{"text": "hola"}', '');
\echo :SQLSTATE
-- Nor is it made up from the agent type.
BEGIN;
INSERT INTO agent_types (name, queue) VALUES ('t_enqueue_lost', 'nowhere special');
SELECT enqueue_agent('t_enqueue_lost', '{"text": "hola"}');
\echo :SQLSTATE
ROLLBACK;

-- A type whose jobs never expire.
BEGIN;
SELECT enqueue_agent('t_enqueue_never', '{"text": "hola"}') IS NOT NULL AS has_id;
SELECT status, expires_at FROM agent_queue WHERE agent_type = 't_enqueue_never';
ROLLBACK;

-- Both ways in do the same.
BEGIN;
INSERT INTO agent_queue (agent_type, request_data) VALUES ('t_enqueue', '{"text": "hola"}');
SELECT enqueue_agent('t_enqueue', '{"text": "hola"}') IS NOT NULL AS has_id;
SELECT count(DISTINCT to_jsonb(q) - ARRAY['id', 'claim_key', 'created_at', 'run_at', 'expires_at']) AS kinds, count(*)
FROM agent_queue AS q WHERE agent_type = 't_enqueue';
ROLLBACK;

-- Unknown agent type: 42704; none: 22004.
SELECT enqueue_agent('t_enqueu', '{"text": "hola"}');
\echo :SQLSTATE
INSERT INTO agent_queue (agent_type, request_data) VALUES ('t_enqueu', '{"text": "hola"}');
\echo :SQLSTATE
INSERT INTO agent_queue (request_data) VALUES ('{"text": "hola"}');
\echo :SQLSTATE

-- Malformed requests: 22023; none: 22004.
SELECT enqueue_agent('t_enqueue', '[1, 2]');
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', '"text"');
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', 'null');
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', NULL);
\echo :SQLSTATE
INSERT INTO agent_queue (agent_type, request_data) VALUES ('t_enqueue', '7');
\echo :SQLSTATE
INSERT INTO agent_queue (agent_type) VALUES ('t_enqueue');
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', '{}');
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', '{"text": 7, "prompt": ""}');
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', '{"messages": []}');
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', '{"text": "hola", "messages": [{"content": "without a role"}]}');
\echo :SQLSTATE
-- A field that the template of the agent type needs.
BEGIN;
INSERT INTO agent_types (name, prompt_template) VALUES ('t_enqueue_template', 'To {{lang}}: {{text}} {{meta.n}}');
SELECT enqueue_agent('t_enqueue_template', '{"lang": "en"}');
\echo :SQLSTATE
ROLLBACK;

-- Oversized: 54000, also where it compresses well. The bound itself fits.
SELECT enqueue_agent('t_enqueue', jsonb_build_object('text', repeat('x', 40000000)));
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', jsonb_build_object('text', repeat('x', 1024 * 1024 - 15)));
\echo :SQLSTATE
BEGIN;
SELECT enqueue_agent('t_enqueue', jsonb_build_object('text', repeat('x', 1024 * 1024 - 16))) IS NOT NULL AS has_id;
ROLLBACK;

-- Options out of range: 22023.
SELECT enqueue_agent('t_enqueue', '{"text": "hola"}', priority => 0);
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', '{"text": "hola"}', priority => 11);
\echo :SQLSTATE
INSERT INTO agent_queue (agent_type, request_data, priority) VALUES ('t_enqueue', '{"text": "hola"}', 0);
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', '{"text": "hola"}', max_retries => -1);
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', '{"text": "hola"}', max_retries => 101);
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', '{"text": "hola"}', expires_in => '-1 s');
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', '{"text": "hola"}', idempotency_key => '');
\echo :SQLSTATE
SELECT enqueue_agent('t_enqueue', '{"text": "hola"}', idempotency_key => repeat('ñ', 201));
\echo :SQLSTATE
INSERT INTO agent_queue (agent_type, request_data, run_at) VALUES ('t_enqueue', '{"text": "hola"}', 'infinity');
\echo :SQLSTATE

-- A status is for the owner to write: 42501 for a client, even one with the right to write the column.
CREATE ROLE regress_agent_client;
SELECT grant_agent_access('regress_agent_client');
GRANT INSERT ON agent_queue TO regress_agent_client;
SET ROLE regress_agent_client;
SET agent_queue.user_id = '00000000-0000-0000-0000-0000000000e1';
INSERT INTO agent_queue (agent_type, request_data, status) VALUES ('t_enqueue', '{"text": "hola"}', 'pending');
\echo :SQLSTATE
INSERT INTO agent_queue (agent_type, request_data, status, result, queue, priority, max_retries, created_at, run_at)
VALUES ('t_enqueue', '{"text": "hola"}', 'completed', '{"text": "forged"}', 'agents', 5, 3, now(), now());
\echo :SQLSTATE
RESET ROLE;
RESET agent_queue.user_id;
SELECT revoke_agent_access('regress_agent_client');
REVOKE ALL ON agent_queue FROM regress_agent_client;
DROP ROLE regress_agent_client;

-- Of all that was refused nothing is stored.
SELECT count(*) FROM agent_queue WHERE agent_type LIKE 't_enqueu%';
DELETE FROM agent_types WHERE name LIKE 't_enqueue%';
