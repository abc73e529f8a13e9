-- The table at the end of the demo. Variable: first, the first id of the run.
\pset border 2
\pset footer off
\pset null 'unknown'

\pset title 'Jobs'
SELECT status, coalesce(error_code, '') AS error, count(*) AS jobs, sum(retry_count) AS retries
FROM agent_queue
WHERE id >= :first
GROUP BY 1, 2
ORDER BY 1, 2;

\pset title 'From enqueue to answer'
SELECT round((count(*) / nullif(extract(epoch FROM max(completed_at) - min(created_at)), 0))::numeric, 1) AS "jobs/s",
       percentile_disc(0.50) WITHIN GROUP (ORDER BY round(1000 * extract(epoch FROM completed_at - created_at)))
           AS "p50 ms",
       percentile_disc(0.95) WITHIN GROUP (ORDER BY round(1000 * extract(epoch FROM completed_at - created_at)))
           AS "p95 ms",
       percentile_disc(0.99) WITHIN GROUP (ORDER BY round(1000 * extract(epoch FROM completed_at - created_at)))
           AS "p99 ms"
FROM agent_queue
WHERE id >= :first AND status = 'completed';

\pset title 'Tokens and money, from api_usage'
SELECT provider, model, count(*) AS calls,
       sum(tokens_used - output_tokens) AS "input tokens", sum(output_tokens) AS "output tokens",
       to_char(sum(cost_usd), 'FM$999990.000000') AS cost
FROM api_usage
WHERE queue_id >= :first
GROUP BY provider, model
ORDER BY provider, model;

\pset title 'Some answers'
SELECT * FROM (
    SELECT DISTINCT ON (agent_type) id, agent_type AS type, left(request_data ->> 'text', 44) || ' …' AS request,
           left(coalesce(result ->> 'translation', result ->> 'summary', result ->> 'mood'), 52) AS answer
    FROM agent_queue
    WHERE id >= :first AND status = 'completed'
    ORDER BY agent_type, length(request_data ->> 'text'), id
) AS sample
ORDER BY id;
