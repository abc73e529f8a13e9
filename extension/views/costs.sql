-- Where the money went. Tested in sql/costs_view.sql and test/tap/231_fold.pl.
--
-- What one row of api_usage adds: by this view both the worker that folds and daily_costs count, so that they agree.
CREATE OR REPLACE VIEW @extschema@.api_usage_amounts WITH (security_invoker = true) AS
SELECT u.id, @extschema@.agent_queue_budget_day(u.created_at) AS day, u.user_id, u.agent_type, u.provider, u.model,
       (u.part = 1)::int::bigint AS requests,
       (u.part = 1 AND u.cached)::int::bigint AS cached_requests,
       (u.part = 1 AND u.estimated)::int::bigint AS estimated_requests,
       (u.part = 1 AND u.cost_usd IS NULL)::int::bigint AS unpriced_requests,
       coalesce(u.tokens_used, 0) AS tokens_used,
       coalesce(u.input_tokens, 0) AS input_tokens,
       coalesce(u.cache_read_tokens, 0) AS cache_read_tokens,
       coalesce(u.cache_write_tokens, 0) AS cache_write_tokens,
       coalesce(u.output_tokens, 0) AS output_tokens,
       coalesce(u.reasoning_tokens, 0) AS reasoning_tokens,
       u.cost_usd,
       coalesce(u.saved_usd, 0) AS saved_usd
FROM @extschema@.api_usage AS u;

COMMENT ON VIEW @extschema@.api_usage_amounts IS
    'What each row of api_usage adds to the columns of daily_costs, and to which of its rows';

-- The roll-up and what is not folded yet, in one snapshot: each commit is seen at once, and nothing twice. Conditions on
-- user and day reach both parts.
CREATE OR REPLACE VIEW @extschema@.daily_costs WITH (security_invoker = true) AS
SELECT c.day, c.user_id, c.agent_type, c.provider, c.model,
       sum(c.requests)::bigint AS requests,
       sum(c.cached_requests)::bigint AS cached_requests,
       sum(c.estimated_requests)::bigint AS estimated_requests,
       sum(c.unpriced_requests)::bigint AS unpriced_requests,
       sum(c.tokens_used)::bigint AS tokens_used,
       sum(c.input_tokens)::bigint AS input_tokens,
       sum(c.cache_read_tokens)::bigint AS cache_read_tokens,
       sum(c.cache_write_tokens)::bigint AS cache_write_tokens,
       sum(c.output_tokens)::bigint AS output_tokens,
       sum(c.reasoning_tokens)::bigint AS reasoning_tokens,
       sum(c.cost_usd) AS cost_usd,
       sum(c.saved_usd) AS saved_usd
FROM (
    SELECT r.day, r.user_id, r.agent_type, r.provider, r.model, r.requests, r.cached_requests, r.estimated_requests,
           r.unpriced_requests, r.tokens_used, r.input_tokens, r.cache_read_tokens, r.cache_write_tokens,
           r.output_tokens, r.reasoning_tokens, r.cost_usd, r.saved_usd
    FROM @extschema@.api_usage_rollup AS r
    UNION ALL
    SELECT a.day, a.user_id, a.agent_type, a.provider, a.model, a.requests, a.cached_requests, a.estimated_requests,
           a.unpriced_requests, a.tokens_used, a.input_tokens, a.cache_read_tokens, a.cache_write_tokens,
           a.output_tokens, a.reasoning_tokens, a.cost_usd, a.saved_usd
    FROM @extschema@.api_usage_amounts AS a
    WHERE a.id > @extschema@.agent_queue_folded_to()
) AS c
GROUP BY c.user_id, c.day, c.agent_type, c.provider, c.model;

COMMENT ON VIEW @extschema@.daily_costs IS
    'All usage by day, user, agent type, provider and model, as of the last commit; days whose partitions were dropped '
    'included';
COMMENT ON COLUMN @extschema@.daily_costs.day IS 'On which the attempts were started (agent_queue.budget_time_zone)';
COMMENT ON COLUMN @extschema@.daily_costs.user_id IS 'NULL: the system';
COMMENT ON COLUMN @extschema@.daily_costs.requests IS 'Attempts, cached answers included';
COMMENT ON COLUMN @extschema@.daily_costs.estimated_requests IS 'Attempts whose provider did not say what it counted';
COMMENT ON COLUMN @extschema@.daily_costs.unpriced_requests IS
    'Attempts without a known price: they are in tokens, not in cost_usd';
COMMENT ON COLUMN @extschema@.daily_costs.cost_usd IS 'US dollars of the attempts whose price is known; NULL: of none';
COMMENT ON COLUMN @extschema@.daily_costs.saved_usd IS 'US dollars that cached answers did not cost';

CREATE OR REPLACE VIEW @extschema@.costs_by_agent_type WITH (security_invoker = true) AS
SELECT c.agent_type,
       c.day,
       sum(c.tokens_used)::bigint AS total_tokens,
       sum(c.cost_usd) AS total_cost,
       sum(c.requests)::bigint AS total_requests,
       sum(c.cached_requests)::bigint AS cached_requests,
       sum(c.saved_usd) AS saved_cost
FROM @extschema@.daily_costs AS c
GROUP BY c.agent_type, c.day;

COMMENT ON VIEW @extschema@.costs_by_agent_type IS
    'Tokens and money by agent type and day; the columns are those of user_costs';

CREATE OR REPLACE VIEW @extschema@.costs_by_model WITH (security_invoker = true) AS
SELECT c.provider,
       c.model,
       c.day,
       sum(c.tokens_used)::bigint AS total_tokens,
       sum(c.cost_usd) AS total_cost,
       sum(c.requests)::bigint AS total_requests,
       sum(c.cached_requests)::bigint AS cached_requests,
       sum(c.saved_usd) AS saved_cost
FROM @extschema@.daily_costs AS c
GROUP BY c.provider, c.model, c.day;

COMMENT ON VIEW @extschema@.costs_by_model IS
    'Tokens and money by provider, model and day; the columns are those of user_costs';

CREATE OR REPLACE VIEW @extschema@.costs_by_day WITH (security_invoker = true) AS
SELECT c.day,
       sum(c.tokens_used)::bigint AS total_tokens,
       sum(c.cost_usd) AS total_cost,
       sum(c.requests)::bigint AS total_requests,
       sum(c.cached_requests)::bigint AS cached_requests,
       sum(c.saved_usd) AS saved_cost
FROM @extschema@.daily_costs AS c
GROUP BY c.day;

COMMENT ON VIEW @extschema@.costs_by_day IS 'Tokens and money by day; the columns are those of user_costs';
