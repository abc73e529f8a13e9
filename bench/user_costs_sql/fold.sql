-- What the worker's fold does, at once and for all rows up to id :to: it would take its time.
INSERT INTO api_usage_rollup (day, user_id, agent_type, provider, model, requests, cached_requests, estimated_requests,
                              unpriced_requests, tokens_used, input_tokens, cache_read_tokens, cache_write_tokens,
                              output_tokens, reasoning_tokens, cost_usd, saved_usd)
SELECT day, user_id, agent_type, provider, model, sum(requests), sum(cached_requests), sum(estimated_requests),
       sum(unpriced_requests), sum(tokens_used), sum(input_tokens), sum(cache_read_tokens), sum(cache_write_tokens),
       sum(output_tokens), sum(reasoning_tokens), sum(cost_usd), sum(saved_usd)
FROM api_usage_amounts WHERE id > agent_queue_folded_to() AND id <= :to
GROUP BY day, user_id, agent_type, provider, model
ON CONFLICT (user_id, day, agent_type, provider, model) DO UPDATE
SET requests = api_usage_rollup.requests + excluded.requests,
    tokens_used = api_usage_rollup.tokens_used + excluded.tokens_used,
    input_tokens = api_usage_rollup.input_tokens + excluded.input_tokens,
    output_tokens = api_usage_rollup.output_tokens + excluded.output_tokens,
    cost_usd = api_usage_rollup.cost_usd + excluded.cost_usd;
UPDATE api_usage_folded SET folded_to = :to;
