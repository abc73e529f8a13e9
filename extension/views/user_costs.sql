-- Money by user and day. Tested in sql/costs_view.sql.
CREATE OR REPLACE VIEW @extschema@.user_costs WITH (security_invoker = true) AS
SELECT u.user_id,
       (u.created_at AT TIME ZONE 'UTC')::date AS date,
       coalesce(sum(u.tokens_used), 0)::bigint AS total_tokens,
       sum(u.cost_usd) AS total_cost,
       count(*) FILTER (WHERE u.part = 1) AS total_requests,
       count(*) FILTER (WHERE u.part = 1 AND u.cached) AS cached_requests,
       coalesce(sum(u.saved_usd), 0) AS saved_cost
FROM @extschema@.api_usage AS u
GROUP BY u.user_id, (u.created_at AT TIME ZONE 'UTC')::date;

COMMENT ON VIEW @extschema@.user_costs IS 'Tokens and money by user and day (UTC)';
COMMENT ON COLUMN @extschema@.user_costs.user_id IS 'NULL: the system';
COMMENT ON COLUMN @extschema@.user_costs.date IS 'The day in UTC on which the attempts were started';
COMMENT ON COLUMN @extschema@.user_costs.total_cost IS 'US dollars of the attempts whose price is known; NULL: of none';
COMMENT ON COLUMN @extschema@.user_costs.total_requests IS 'Attempts, cached answers included';
COMMENT ON COLUMN @extschema@.user_costs.saved_cost IS 'US dollars that cached answers did not cost';
