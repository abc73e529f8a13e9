-- As a settle of 200 jobs inserts them.
INSERT INTO :table (queue_id, attempt, user_id, agent_type, provider, model, tokens_used, input_tokens,
                    cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_usd, estimated,
                    latency_ms, created_at)
SELECT batch.number * 200 + n, 1, md5((n % 50)::text)::uuid, 'type', 'bench', 'model', 400, 300, 0, 0, 100, 0, 0.000105,
       false, 800, now()
FROM (SELECT nextval('bench_attempts') AS number OFFSET 0) AS batch, generate_series(1, 200) AS n
ON CONFLICT DO NOTHING;
