-- Tiers, users, limits and budgets: what their CHECKs refuse, what is shipped and how it gives way to a user's rows, and
-- what is dumped. All rolled back. That a change is in force at commit is in sql/rate_limits.sql and in
-- test/isolation/specs/rate_limits.spec.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on

-- What is shipped.
SELECT name, daily_requests, daily_cost_usd, monthly_cost_usd, on_limit, concurrency, weight, unlimited, shipped
FROM agent_tiers ORDER BY name;
SELECT tier, endpoint, max_requests, window_seconds, shipped FROM agent_limits ORDER BY tier, endpoint;
SELECT count(*) AS users FROM agent_users;
SELECT count(*) AS budgets FROM agent_budgets;

BEGIN;
-- Every column but the keys has a default.
INSERT INTO agent_tiers (name) VALUES ('t_tiers');
SELECT to_jsonb(t) - 'name' AS defaults FROM agent_tiers AS t WHERE name = 't_tiers';
INSERT INTO agent_users (user_id) VALUES ('00000000-0000-0000-0000-00000000f001');
SELECT to_jsonb(u) - 'user_id' AS defaults FROM agent_users AS u WHERE user_id = '00000000-0000-0000-0000-00000000f001';
INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('t_tiers', 't_tiers', 1);
SELECT to_jsonb(l) AS defaults FROM agent_limits AS l WHERE tier = 't_tiers';
INSERT INTO agent_budgets (scope) VALUES ('all');
SELECT to_jsonb(b) AS defaults FROM agent_budgets AS b;

-- agent_tiers.
INSERT INTO agent_tiers (name) VALUES ('');
INSERT INTO agent_tiers (name) VALUES (repeat('n', 201));
INSERT INTO agent_tiers (name) VALUES (E'two\nlines');
INSERT INTO agent_tiers (name) VALUES ('t_tiers');
INSERT INTO agent_tiers (name, daily_requests) VALUES ('t_tiers2', -1);
INSERT INTO agent_tiers (name, daily_cost_usd) VALUES ('t_tiers2', -0.01);
INSERT INTO agent_tiers (name, daily_cost_usd) VALUES ('t_tiers2', 0.0000000001);
INSERT INTO agent_tiers (name, daily_cost_usd) VALUES ('t_tiers2', 'NaN');
INSERT INTO agent_tiers (name, monthly_cost_usd) VALUES ('t_tiers2', 'Infinity');
INSERT INTO agent_tiers (name, monthly_cost_usd) VALUES ('t_tiers2', 1000000000.01);
INSERT INTO agent_tiers (name, on_limit) VALUES ('t_tiers2', 'explode');
INSERT INTO agent_tiers (name, concurrency) VALUES ('t_tiers2', 0);
INSERT INTO agent_tiers (name, weight) VALUES ('t_tiers2', 0);
INSERT INTO agent_tiers (name, weight) VALUES ('t_tiers2', 10001);
INSERT INTO agent_tiers (name, daily_requests, daily_cost_usd, monthly_cost_usd, on_limit, concurrency, weight)
VALUES ('t_tiers3', 0, 0, 1000000000, 'park', 1, 1), ('t_tiers4', 2147483647, 0.000000001, 0, 'alert', 1000000, 10000);

-- agent_users: a tier need not be there (it is looked for when the user comes); the rest as in agent_tiers.
INSERT INTO agent_users (user_id) VALUES ('00000000-0000-0000-0000-00000000f001');
INSERT INTO agent_users (user_id, tier) VALUES ('00000000-0000-0000-0000-00000000f002', '');
INSERT INTO agent_users (user_id, tier) VALUES ('00000000-0000-0000-0000-00000000f002', NULL);
INSERT INTO agent_users (user_id, daily_requests) VALUES ('00000000-0000-0000-0000-00000000f002', -1);
INSERT INTO agent_users (user_id, daily_cost_usd) VALUES ('00000000-0000-0000-0000-00000000f002', -1);
INSERT INTO agent_users (user_id, monthly_cost_usd) VALUES ('00000000-0000-0000-0000-00000000f002', 'NaN');
INSERT INTO agent_users (user_id, on_limit) VALUES ('00000000-0000-0000-0000-00000000f002', '');
INSERT INTO agent_users (user_id, concurrency) VALUES ('00000000-0000-0000-0000-00000000f002', -1);
INSERT INTO agent_users (user_id, weight) VALUES ('00000000-0000-0000-0000-00000000f002', -1);
INSERT INTO agent_users (user_id, tier) VALUES ('00000000-0000-0000-0000-00000000f002', 'of tomorrow');

-- agent_limits.
INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('', 'e', 1);
INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('t_tiers', '', 1);
INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('t_tiers', E'tab\t', 1);
INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('t_tiers', 'e', -1);
INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('t_tiers', 'e', 1000001);
INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('t_tiers', 'e', NULL);
INSERT INTO agent_limits (tier, endpoint, max_requests, window_seconds) VALUES ('t_tiers', 'e', 1, 0);
INSERT INTO agent_limits (tier, endpoint, max_requests, window_seconds) VALUES ('t_tiers', 'e', 1, 3601);
INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('t_tiers', 't_tiers', 2);
INSERT INTO agent_limits (tier, endpoint, max_requests, window_seconds)
VALUES ('t_tiers', '*', 0, 1), ('t_tiers', 'e', 1000000, 3600);

-- agent_budgets.
INSERT INTO agent_budgets (scope) VALUES ('galaxy');
INSERT INTO agent_budgets (scope, name) VALUES ('all', 'x');
INSERT INTO agent_budgets (scope) VALUES ('all');
INSERT INTO agent_budgets (scope) VALUES ('tier');
INSERT INTO agent_budgets (scope, name) VALUES ('agent_type', E'\n');
INSERT INTO agent_budgets (scope, name, daily_cost_usd) VALUES ('tier', 'free', -1);
INSERT INTO agent_budgets (scope, name, monthly_cost_usd) VALUES ('tier', 'free', 'Infinity');
INSERT INTO agent_budgets (scope, name, on_limit) VALUES ('tier', 'free', 'hope');
INSERT INTO agent_budgets (scope, name, daily_cost_usd) VALUES ('tier', 'free', 10), ('agent_type', 'translate', 0.5);

-- The limits of an agent type and of a queue as a whole.
INSERT INTO agent_types (name, max_requests) VALUES ('t_tiers', -1);
INSERT INTO agent_types (name, max_requests) VALUES ('t_tiers', 1000001);
INSERT INTO agent_types (name, max_requests, window_seconds) VALUES ('t_tiers', 1, 0);
INSERT INTO agent_types (name, endpoint) VALUES ('t_tiers', '');
INSERT INTO agent_types (name, max_requests, window_seconds, endpoint) VALUES ('t_tiers', 0, 3600, 'e') RETURNING endpoint;
INSERT INTO agent_queues (name, max_requests) VALUES ('t_tiers', -1);
INSERT INTO agent_queues (name, window_seconds) VALUES ('t_tiers', 3601);
INSERT INTO agent_queues (name, max_requests) VALUES ('t_tiers', 1000000) RETURNING window_seconds;

-- A shipped row gives way to a user's of the same key, and is the user's when it is changed. Nobody can ship a row.
INSERT INTO agent_tiers (name, daily_requests, shipped) VALUES ('free', 7, true);
INSERT INTO agent_limits (tier, endpoint, max_requests, shipped) VALUES ('free', 'translate', 3, true);
UPDATE agent_limits SET max_requests = max_requests WHERE tier = 'free' AND endpoint = 'examples';
UPDATE agent_limits SET max_requests = 6 WHERE tier = 'free' AND endpoint = 'ask_teacher';
UPDATE agent_tiers SET daily_cost_usd = 6 WHERE name = 'premium';
SELECT name, daily_requests, daily_cost_usd, shipped FROM agent_tiers WHERE name NOT LIKE 't_%' ORDER BY name;
SELECT endpoint, max_requests, shipped FROM agent_limits WHERE tier = 'free' ORDER BY endpoint;
INSERT INTO agent_tiers (name) VALUES ('free');
ROLLBACK;

-- What is dumped: users and budgets as they are, tiers and limits that are not shipped, and alerts.
SELECT d.relation::regclass::name COLLATE "C" AS dumped, d.condition
FROM pg_extension AS e, unnest(e.extconfig, e.extcondition) AS d (relation, condition)
WHERE e.extname = 'agent_queue' AND d.relation::regclass::name ~ '^agent_(tiers|users|limits|budgets|alerts)' ORDER BY 1;
