-- agent_stream() and what it reads, as far as no provider is needed. Real streams: test/tap/210_streaming.pl.
INSERT INTO agent_types (name, stream, result_template)
VALUES ('t_stream', true, NULL), ('t_stream_shaped', true, '{"said": "{{text}}"}');
INSERT INTO agent_routes (agent_type, provider, model)
VALUES ('t_stream', 'echo', 'echo'), ('t_stream_shaped', 'echo', 'echo');
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 940001;

SELECT stream_interval, stream_notify FROM agent_types WHERE name = 't_stream';
\set VERBOSITY terse
UPDATE agent_types SET stream_interval = '49 ms' WHERE name = 't_stream';
UPDATE agent_types SET stream_interval = '2 hours' WHERE name = 't_stream';
\set VERBOSITY default
UPDATE agent_types SET stream_interval = NULL WHERE name = 't_stream_shaped';

-- No such job; NULL.
SELECT agent_stream(1234567890123);
\echo :SQLSTATE
SELECT agent_stream(NULL) IS NULL AS is_null;

-- A wire format without streams is asked as ever: the whole text comes at the end.
SELECT enqueue_agent('t_stream', '{"text": "hola"}') AS id \gset
SELECT wait_agent(:id) ->> 'text' AS answer, agent_stream(:id) AS streamed;
SELECT first_token_ms IS NULL AS not_streamed, latency_ms IS NOT NULL AS has_latency
FROM api_usage WHERE queue_id = :id;

-- A result without a "text" that is a string has none to show.
SELECT enqueue_agent('t_stream_shaped', '{"text": "hola"}') AS id \gset
SELECT wait_agent(:id) AS answer, agent_stream(:id) IS NULL AS is_null;

-- Nothing yet, and nothing any more.
SELECT enqueue_agent('t_stream', '{"text": "hola"}', delay => '1 hour') AS id \gset
SELECT agent_stream(:id) IS NULL AS is_null;
UPDATE agent_queue SET status = 'failed', error_code = 'expired', claim_key = NULL WHERE id = :id;
SELECT agent_stream(:id) IS NULL AS is_null;

-- Under way: a row as a worker would have it, which no worker touches (it has no claim_key).
INSERT INTO agent_queue (agent_type, request_data, user_id, status, created_at, run_at, started_at, priority, max_retries,
                         queue)
VALUES ('t_stream', '{"text": "hola"}', '00000000-0000-0000-0000-00000000000a', 'processing', now(), now(),
        '2026-11-21 10:00:00.123456Z', 5, 3, 'agents')
RETURNING id \gset
UPDATE agent_queue SET claim = gen_random_uuid() WHERE id = :id;
SELECT agent_stream(:id) IS NULL AS is_null;
INSERT INTO agent_stream_parts (queue_id, started_at, number, text)
VALUES (:id, '2026-11-21 10:00:00.123456Z', 2, 'is '), (:id, '2026-11-21 10:00:00.123456Z', 1, 'This '),
       (:id, '2026-11-21 10:00:00.123456Z', 10, 'far.'), (:id, '2026-11-21 10:00:00.123456Z', 9, 'so '),
       (:id, '2026-11-21 09:00:00Z', 1, 'An earlier attempt.'), (:id + 1, '2026-11-21 10:00:00.123456Z', 1, 'Another job.');
SELECT agent_stream(:id);
-- The latest of it also in a transaction with an old snapshot, as wait_agent() has it.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT agent_stream(:id);
ROLLBACK;

-- Who may read the job's row may read its text so far, and nobody the table of parts.
CREATE ROLE regress_stream_reader;
SET ROLE regress_stream_reader;
SELECT agent_stream(:id);
RESET ROLE;
SELECT grant_agent_access('regress_stream_reader');
SET ROLE regress_stream_reader;
SET agent_queue.user_id = '00000000-0000-0000-0000-00000000000b';
SELECT agent_stream(:id);
\echo :SQLSTATE
SET agent_queue.user_id = '00000000-0000-0000-0000-00000000000a';
SELECT agent_stream(:id);
-- The caller's search_path leads nowhere.
CREATE TEMPORARY TABLE agent_stream_parts (queue_id bigint, started_at timestamptz, number int, text text);
SELECT agent_stream(:id);
SELECT count(*) FROM public.agent_stream_parts;
DROP TABLE pg_temp.agent_stream_parts;
RESET agent_queue.user_id;
RESET ROLE;
DROP OWNED BY regress_stream_reader;
DROP ROLE regress_stream_reader;

-- Without WAL, and never in a dump.
SELECT relpersistence,
       (SELECT oid = ANY (extconfig) FROM pg_extension WHERE extname = 'agent_queue') AS is_dumped
FROM pg_class WHERE oid = 'agent_stream_parts'::regclass;

DELETE FROM agent_stream_parts;
DELETE FROM agent_queue WHERE agent_type LIKE 't\_stream%';
DELETE FROM agent_routes WHERE agent_type LIKE 't\_stream%';
DELETE FROM agent_types WHERE name LIKE 't\_stream%';
