-- Brings the finished jobs of yesterday up to :rows, narrow ones, as if they had run here.
INSERT INTO agent_queues (name, keep_for) VALUES ('history', NULL) ON CONFLICT DO NOTHING;
-- The trigger would leave out claim_key; and a function call for each of ten million rows takes its time.
ALTER TABLE agent_queue DISABLE TRIGGER agent_queue_admit;
INSERT INTO agent_queue (created_at, run_at, started_at, completed_at, priority, max_retries, status, queue, agent_type,
                         request_data, result, claim_key)
SELECT day, day, day, day, 5, 3, 'completed', 'history', 'bench', '{"prompt": "An order came late"}',
       '{"text": "Sorry"}', 0
FROM (SELECT now() - interval '1 day' AS day) AS yesterday,
     generate_series(1, :rows - (SELECT count(*) FROM agent_queue WHERE queue = 'history'));
ALTER TABLE agent_queue ENABLE ALWAYS TRIGGER agent_queue_admit;
DELETE FROM agent_queue WHERE queue <> 'history';
TRUNCATE api_usage;
VACUUM (ANALYZE, TRUNCATE off) agent_queue;
CHECKPOINT;
