-- :rows rows of usage, of :users users, spread over the present month (UTC): each user has one agent type and two
-- models.
INSERT INTO api_usage (queue_id, attempt, user_id, agent_type, provider, model, tokens_used, input_tokens,
                       cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_usd, latency_ms,
                       created_at)
SELECT n, 1, md5((n % :users)::text)::uuid, 'type' || n % :users % 3, 'bench',
       'model' || n / :users % 2, 400, 300, 0, 0, 100, 0, 0.000105, 800,
       month.begins + (month.ends - month.begins) * (n / (:first + :rows)::float8)
FROM generate_series(:first::bigint, :first::bigint + :rows - 1) AS n,
     (SELECT date_trunc('month', now(), 'UTC') AS begins, date_trunc('month', now(), 'UTC') + interval '27 days' AS ends)
         AS month;
