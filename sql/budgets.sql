-- Budgets at the enqueue, and as the view shows them. What workers do with them is in test/tap/310_budgets.pl.
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 970001;
INSERT INTO agent_types (name, max_output_tokens) VALUES ('t_budget', 1000), ('t_budget_unpriced', 1000);
INSERT INTO agent_providers (name, wire_format, base_url) VALUES ('t_budget', 'openai', 'http://127.0.0.1:9');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_budget', 't_budget', 'm'),
    ('t_budget_unpriced', 't_budget', 'unknown');
-- A job may cost a dollar and a little.
INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok, valid_from)
VALUES ('t_budget', 'm', 1, 1000, '2020-01-01');
INSERT INTO agent_tiers (name) VALUES ('t_budget');
INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('t_budget', '*', 1000000);
INSERT INTO agent_users (user_id, tier, daily_cost_usd) VALUES
    ('00000000-0000-0000-0000-0000000b0001', 't_budget', 0.5), ('00000000-0000-0000-0000-0000000b0002', 't_budget', NULL);
INSERT INTO agent_queues (name, paused) VALUES ('t_budget', true);

CREATE FUNCTION t_budget_enqueue(who int, type text DEFAULT 't_budget') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    PERFORM enqueue_agent(type, '{"text": "Hello"}', queue => 't_budget',
                          user_id => ('00000000-0000-0000-0000-0000000b000' || who)::uuid);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || SQLERRM || ' ' || (detail::jsonb - 'retry_after_seconds');
END
$$;

-- The user's own.
SELECT t_budget_enqueue(1);
SELECT t_budget_enqueue(2);
-- Of the agent type, the tier, and all; the smallest that does not suffice says no.
INSERT INTO agent_budgets (scope, name, monthly_cost_usd) VALUES ('agent_type', 't_budget', 0.9);
SELECT t_budget_enqueue(2);
UPDATE agent_budgets SET monthly_cost_usd = 90 WHERE name = 't_budget';
SELECT t_budget_enqueue(2);
INSERT INTO agent_budgets (scope, name, daily_cost_usd) VALUES ('tier', 't_budget', 0.8);
SELECT t_budget_enqueue(2);
DELETE FROM agent_budgets WHERE scope = 'tier';
INSERT INTO agent_budgets (scope, daily_cost_usd) VALUES ('all', 0.7);
SELECT t_budget_enqueue(2);
-- One that parks refuses what no day can hold; one that throttles or alerts lets it in.
UPDATE agent_budgets SET on_limit = 'park' WHERE scope = 'all';
SELECT t_budget_enqueue(2);
UPDATE agent_budgets SET on_limit = 'throttle' WHERE scope = 'all';
SELECT t_budget_enqueue(2);
DELETE FROM agent_budgets;

-- A price that nobody knows.
SELECT t_budget_enqueue(1, 't_budget_unpriced');
SELECT t_budget_enqueue(2, 't_budget_unpriced');
UPDATE agent_users SET on_limit = 'alert' WHERE user_id = '00000000-0000-0000-0000-0000000b0001';
SELECT t_budget_enqueue(1, 't_budget_unpriced');
SELECT t_budget_enqueue(1);

-- The system has no budget of its own.
SELECT enqueue_agent('t_budget', '{"text": "Hello"}', queue => 't_budget') > 0 AS accepted;
-- An unlimited tier.
UPDATE agent_tiers SET unlimited = true WHERE name = 't_budget';
UPDATE agent_users SET on_limit = NULL, daily_requests = 0;
SELECT t_budget_enqueue(1);
UPDATE agent_tiers SET unlimited = false WHERE name = 't_budget';
SELECT t_budget_enqueue(2);
UPDATE agent_users SET daily_requests = NULL;

-- As the tables have it.
INSERT INTO agent_budgets (scope, name, daily_cost_usd, monthly_cost_usd, on_limit) VALUES
    ('all', '', 1000, NULL, 'park'), ('tier', 't_budget', 2, 3, 'refuse'), ('agent_type', 't_budget', 1, NULL, 'alert');
INSERT INTO api_usage (queue_id, attempt, user_id, agent_type, cost_usd, created_at) VALUES
    (970001, 1, '00000000-0000-0000-0000-0000000b0001', 't_budget', 0.25, now()),
    (970002, 1, '00000000-0000-0000-0000-0000000b0002', 't_budget', 2.50, now()),
    (970003, 1, NULL, 't_budget', 100, now()), (970004, 1, NULL, 'other', 0.125, now());
SELECT scope, name, period, on_limit, limit_usd, spent_usd, held_usd FROM budget_status
WHERE scope IN ('tier', 'agent_type') OR name LIKE '%0b000_' ORDER BY scope, name, period;
SELECT scope, name, period, limit_usd, spent_usd FROM check_budgets() ORDER BY scope, name, period;

DELETE FROM api_usage WHERE queue_id BETWEEN 970001 AND 970004;
DELETE FROM agent_queue WHERE queue = 't_budget';
DELETE FROM agent_budgets;
DELETE FROM agent_alerts;
DELETE FROM agent_users WHERE tier = 't_budget';
DELETE FROM agent_limits WHERE tier = 't_budget';
DELETE FROM agent_tiers WHERE name = 't_budget';
DELETE FROM agent_routes WHERE provider = 't_budget';
DELETE FROM agent_models WHERE provider = 't_budget';
DELETE FROM agent_providers WHERE name = 't_budget';
DELETE FROM agent_types WHERE name LIKE 't\_budget%';
DELETE FROM agent_queues WHERE name = 't_budget';
DROP FUNCTION t_budget_enqueue;
