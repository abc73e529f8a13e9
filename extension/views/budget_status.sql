-- Every budget of the running day and month, with what the tables say of it. Tested in sql/budgets.sql and, while
-- workers are killed, in test/tap/310_budgets.pl.
CREATE OR REPLACE VIEW @extschema@.budget_status WITH (security_invoker = true) AS
WITH zone AS (
    SELECT current_setting('agent_queue.budget_time_zone') AS name
), windows AS (
    SELECT w.period, date_trunc(w.period, now() AT TIME ZONE z.name) AT TIME ZONE z.name AS start
    FROM zone AS z, (VALUES ('day'), ('month')) AS w (period)
), costs AS (
    SELECT u.user_id, u.agent_type, u.created_at AS at, u.cost_usd AS spent, 0::numeric AS held
    FROM @extschema@.api_usage AS u
    WHERE u.created_at >= (SELECT min(w.start) FROM windows AS w)
    UNION ALL
    SELECT j.user_id, j.agent_type, j.started_at, 0, j.hold_usd
    FROM @extschema@.agent_queue AS j
    WHERE j.status = 'processing' AND j.claim_key IS NOT NULL
    UNION ALL
    SELECT o.user_id, o.agent_type, o.started_at, 0, o.hold_usd
    FROM @extschema@.agent_orphans AS o
), charges AS (
    SELECT c.user_id, c.agent_type, coalesce(u.tier, 'free') AS tier, c.at, coalesce(c.spent, 0) AS spent,
           coalesce(c.held, 0) AS held
    FROM costs AS c
    LEFT JOIN @extschema@.agent_users AS u ON u.user_id = c.user_id
), limits AS (
    SELECT b.scope, b.name, b.on_limit, b.daily_cost_usd AS daily, b.monthly_cost_usd AS monthly
    FROM @extschema@.agent_budgets AS b
    UNION ALL
    SELECT 'user', p.user_id::text, coalesce(u.on_limit, t.on_limit), coalesce(u.daily_cost_usd, t.daily_cost_usd),
           coalesce(u.monthly_cost_usd, t.monthly_cost_usd)
    FROM (SELECT DISTINCT c.user_id FROM charges AS c WHERE c.user_id IS NOT NULL) AS p
    LEFT JOIN @extschema@.agent_users AS u ON u.user_id = p.user_id
    JOIN @extschema@.agent_tiers AS t ON t.name = coalesce(u.tier, 'free')
    WHERE NOT t.unlimited
), bounded AS (
    SELECT l.scope, l.name, l.on_limit, w.period, w.start,
           CASE w.period WHEN 'day' THEN l.daily ELSE l.monthly END AS limit_usd
    FROM limits AS l, windows AS w
)
SELECT b.scope, b.name, b.period, b.start AS window_start, b.on_limit, b.limit_usd,
       coalesce(sum(c.spent), 0) AS spent_usd,
       coalesce(sum(c.held), 0) AS held_usd
FROM bounded AS b
LEFT JOIN charges AS c
    ON c.at >= b.start
       AND CASE b.scope WHEN 'all' THEN true
                        WHEN 'tier' THEN c.user_id IS NOT NULL AND c.tier = b.name
                        WHEN 'agent_type' THEN c.agent_type = b.name
                        ELSE c.user_id = b.name::uuid END
WHERE b.limit_usd IS NOT NULL
GROUP BY b.scope, b.name, b.period, b.start, b.on_limit, b.limit_usd;

COMMENT ON VIEW @extschema@.budget_status IS
    'Each budget in its running day and month, as the tables have it: those of agent_budgets, and those of the users '
    'with costs this month. Reads the usage of the month';
COMMENT ON COLUMN @extschema@.budget_status.scope IS 'user, tier, agent_type or all';
COMMENT ON COLUMN @extschema@.budget_status.name IS 'The user''s id, the tier or the agent type; empty: all';
COMMENT ON COLUMN @extschema@.budget_status.period IS 'day or month';
COMMENT ON COLUMN @extschema@.budget_status.window_start IS 'When that day or month began';
COMMENT ON COLUMN @extschema@.budget_status.on_limit IS 'refuse and park are hard: nothing is spent beyond them';
COMMENT ON COLUMN @extschema@.budget_status.spent_usd IS 'US dollars of attempts that were started in the window';
COMMENT ON COLUMN @extschema@.budget_status.held_usd IS 'US dollars that running attempts may cost at most';

CREATE OR REPLACE FUNCTION @extschema@.check_budgets() RETURNS SETOF @extschema@.budget_status
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT * FROM @extschema@.budget_status
    WHERE on_limit IN ('refuse', 'park') AND spent_usd + held_usd > limit_usd
$$;
COMMENT ON FUNCTION @extschema@.check_budgets() IS
    'The hard budgets that are exceeded by what is spent and held: none, at every commit, unless a budget was lowered '
    'below what was spent, its user changed tiers, or a provider billed more than max_output_tokens allows';
