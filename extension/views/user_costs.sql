-- Money by user and day, on top of views/costs.sql. Tested in sql/costs_view.sql.
CREATE OR REPLACE VIEW @extschema@.user_costs WITH (security_invoker = true) AS
SELECT c.user_id,
       c.day AS date,
       sum(c.tokens_used)::bigint AS total_tokens,
       sum(c.cost_usd) AS total_cost,
       sum(c.requests)::bigint AS total_requests,
       sum(c.cached_requests)::bigint AS cached_requests,
       sum(c.saved_usd) AS saved_cost
FROM @extschema@.daily_costs AS c
GROUP BY c.user_id, c.day;

COMMENT ON VIEW @extschema@.user_costs IS 'Tokens and money by user and day';
COMMENT ON COLUMN @extschema@.user_costs.user_id IS 'NULL: the system';
COMMENT ON COLUMN @extschema@.user_costs.date IS
    'The day on which the attempts were started (agent_queue.budget_time_zone)';
COMMENT ON COLUMN @extschema@.user_costs.total_cost IS 'US dollars of the attempts whose price is known; NULL: of none';
COMMENT ON COLUMN @extschema@.user_costs.total_requests IS 'Attempts, cached answers included';
COMMENT ON COLUMN @extschema@.user_costs.saved_cost IS 'US dollars that cached answers did not cost';
