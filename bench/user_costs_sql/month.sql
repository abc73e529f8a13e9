\set n random(0, :users - 1)
SELECT date, total_tokens, total_cost, total_requests, cached_requests, saved_cost FROM user_costs
WHERE user_id = md5(:n::text)::uuid AND date BETWEEN :first_day::text::date AND :last_day::text::date;
