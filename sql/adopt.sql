-- Restored and hand-inserted jobs: stored as they are, touched by no worker until adopt_jobs().
INSERT INTO agent_types (name, retry_base) VALUES ('t_adopt', '10 ms');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_adopt', 'echo', 'echo');

INSERT INTO agent_queue (id, agent_type, request_data, status, result, wait_reason, retry_count, claim, claim_key, queue,
                         priority, max_retries, created_at, run_at, started_at)
SELECT 600000 + n, 't_adopt', jsonb_build_object('text', status), status,
       CASE status WHEN 'completed' THEN jsonb '{"text": "long ago"}' END,
       CASE status WHEN 'scheduled' THEN 'delayed' END, 1,
       CASE status WHEN 'processing' THEN uuid '11111111-1111-1111-1111-111111111111' END, 42, 'agents', 5, 3,
       now() - interval '1 hour', now() - interval '1 hour',
       CASE WHEN status IN ('processing', 'completed') THEN now() - interval '1 hour' END
FROM unnest(ARRAY['pending', 'scheduled', 'processing', 'completed']) WITH ORDINALITY AS s (status, n);
SELECT id, status, result, wait_reason, retry_count, claim_key, now() - created_at > interval '59 min' AS old_as_given
FROM agent_queue WHERE agent_type = 't_adopt' ORDER BY id;

-- A job that comes after them, and one that becomes due after them, are done: so the workers have been there.
SELECT enqueue_agent('t_adopt', '{"text": "later"}') AS id \gset
SELECT wait_agent(:id) ->> 'text' AS text;
SELECT enqueue_agent('t_adopt', '{"text": "even later"}', delay => '100 ms') AS id \gset
SELECT wait_agent(:id) ->> 'text' AS text;
-- Untouched, and not counted as waiting, active or scheduled.
SELECT id, status, retry_count, claim_key FROM agent_queue WHERE id BETWEEN 600001 AND 600004 ORDER BY id;
SELECT waiting, active, scheduled, oldest FROM queue_stats WHERE queue = 'agents';

-- Adopted, they run; what is finished stays as it is. Nothing is left for a second time.
SELECT adopt_jobs() AS adopted;
SELECT n, wait_agent(600000 + n) ->> 'text' AS text FROM generate_series(1, 4) AS n ORDER BY n;
SELECT id, status FROM agent_queue WHERE id BETWEEN 600001 AND 600004 ORDER BY id;
SELECT adopt_jobs() AS adopted;

DELETE FROM agent_queue WHERE agent_type = 't_adopt';
DELETE FROM agent_routes WHERE agent_type = 't_adopt';
DELETE FROM agent_types WHERE name = 't_adopt';
