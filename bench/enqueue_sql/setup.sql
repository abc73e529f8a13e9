-- The table that enqueuing is compared with: the queue's columns, defaults, checks, indexes and storage, without its
-- triggers.
DROP TABLE IF EXISTS bare;
CREATE TABLE bare (LIKE agent_queue INCLUDING ALL);
DO $$
BEGIN
    EXECUTE format('ALTER TABLE bare SET (%s)',
                   (SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = 'agent_queue'::regclass));
END
$$;

-- A thousand users: each with a rate limit, requests a day, a budget a day and a month, and one for all of them.
INSERT INTO agent_tiers (name, daily_requests, daily_cost_usd, monthly_cost_usd) VALUES ('bench', 1000000, 1000, 10000)
ON CONFLICT DO NOTHING;
INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('bench', 'bench', 1000) ON CONFLICT DO NOTHING;
INSERT INTO agent_users (user_id, tier)
SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'bench' FROM generate_series(1, 1000) AS n
ON CONFLICT DO NOTHING;
INSERT INTO agent_budgets (scope, monthly_cost_usd) VALUES ('all', 1000000) ON CONFLICT DO NOTHING;
