-- Who may use how much: tiers, users, rate limits, budgets, and the alerts that tell of them. Edited with plain SQL, in
-- force at commit. Money has at most 9 decimals; the upper bounds also keep NaN and infinity out. A user without a row
-- in agent_users is free; jobs without a user are the system's, and no tier bounds them. Tested in sql/tiers.sql.
CREATE TABLE @extschema@.agent_tiers (
    name             text COLLATE "C" NOT NULL,
    daily_requests   int,
    daily_cost_usd   numeric,
    monthly_cost_usd numeric,
    on_limit         text COLLATE "C" NOT NULL DEFAULT 'refuse',
    concurrency      int,
    weight           int NOT NULL DEFAULT 100,
    unlimited        boolean NOT NULL DEFAULT false,
    shipped          boolean NOT NULL DEFAULT false,

    CONSTRAINT agent_tiers_pkey PRIMARY KEY (name),
    CONSTRAINT agent_tiers_name_is_valid CHECK (length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'),
    CONSTRAINT agent_tiers_daily_requests_in_range CHECK (daily_requests >= 0),
    CONSTRAINT agent_tiers_daily_cost_in_range
        CHECK (daily_cost_usd BETWEEN 0 AND 1000000000 AND scale(daily_cost_usd) <= 9),
    CONSTRAINT agent_tiers_monthly_cost_in_range
        CHECK (monthly_cost_usd BETWEEN 0 AND 1000000000 AND scale(monthly_cost_usd) <= 9),
    CONSTRAINT agent_tiers_on_limit_is_known CHECK (on_limit IN ('refuse', 'park', 'throttle', 'alert')),
    CONSTRAINT agent_tiers_concurrency_in_range CHECK (concurrency BETWEEN 1 AND 1000000),
    CONSTRAINT agent_tiers_weight_in_range CHECK (weight BETWEEN 1 AND 10000)
);
COMMENT ON TABLE @extschema@.agent_tiers IS 'What each user of a tier may use';
COMMENT ON COLUMN @extschema@.agent_tiers.daily_requests IS
    'Jobs that one user may enqueue a day (agent_queue.budget_time_zone); NULL: no bound';
COMMENT ON COLUMN @extschema@.agent_tiers.daily_cost_usd IS
    'US dollars that the jobs of one user may cost a day; NULL: no bound';
COMMENT ON COLUMN @extschema@.agent_tiers.monthly_cost_usd IS
    'US dollars that the jobs of one user may cost a calendar month; NULL: no bound';
COMMENT ON COLUMN @extschema@.agent_tiers.on_limit IS
    'When a budget is used up: refuse; park (wait for the next day or month); throttle (go on, one job at a time); '
    'alert (go on). With refuse and park nothing is ever spent beyond it';
COMMENT ON COLUMN @extschema@.agent_tiers.concurrency IS
    'The most jobs of one user that are called at a time; NULL: no bound';
COMMENT ON COLUMN @extschema@.agent_tiers.weight IS
    '1 to 10,000: the share of a user of this tier where several have jobs waiting; 200 is served twice as often as 100';
COMMENT ON COLUMN @extschema@.agent_tiers.unlimited IS 'No rate limit and no budget of the tier or the user holds';
COMMENT ON COLUMN @extschema@.agent_tiers.shipped IS
    'The row came with the extension and was not changed since. UPDATE makes it yours; INSERT of the same name '
    'replaces it';

CREATE TABLE @extschema@.agent_users (
    user_id          uuid NOT NULL,
    tier             text COLLATE "C" NOT NULL DEFAULT 'free',
    daily_requests   int,
    daily_cost_usd   numeric,
    monthly_cost_usd numeric,
    on_limit         text COLLATE "C",
    concurrency      int,
    weight           int,

    CONSTRAINT agent_users_pkey PRIMARY KEY (user_id),
    CONSTRAINT agent_users_tier_is_valid CHECK (length(tier) BETWEEN 1 AND 200 AND tier !~ '[[:cntrl:]]'),
    CONSTRAINT agent_users_daily_requests_in_range CHECK (daily_requests >= 0),
    CONSTRAINT agent_users_daily_cost_in_range
        CHECK (daily_cost_usd BETWEEN 0 AND 1000000000 AND scale(daily_cost_usd) <= 9),
    CONSTRAINT agent_users_monthly_cost_in_range
        CHECK (monthly_cost_usd BETWEEN 0 AND 1000000000 AND scale(monthly_cost_usd) <= 9),
    CONSTRAINT agent_users_on_limit_is_known CHECK (on_limit IN ('refuse', 'park', 'throttle', 'alert')),
    CONSTRAINT agent_users_concurrency_in_range CHECK (concurrency BETWEEN 1 AND 1000000),
    CONSTRAINT agent_users_weight_in_range CHECK (weight BETWEEN 1 AND 10000)
);
COMMENT ON TABLE @extschema@.agent_users IS
    'Users that are not of tier free, or differ from their tier: every other column but the tier is NULL for "as the '
    'tier says"';
COMMENT ON COLUMN @extschema@.agent_users.tier IS
    'A row of agent_tiers; where there is none of that name, the user''s jobs are refused';
COMMENT ON COLUMN @extschema@.agent_users.daily_requests IS 'Jobs that the user may enqueue a day';
COMMENT ON COLUMN @extschema@.agent_users.daily_cost_usd IS 'US dollars that the user''s jobs may cost a day';
COMMENT ON COLUMN @extschema@.agent_users.monthly_cost_usd IS 'US dollars that they may cost a calendar month';
COMMENT ON COLUMN @extschema@.agent_users.on_limit IS 'As agent_tiers.on_limit';
COMMENT ON COLUMN @extschema@.agent_users.concurrency IS 'The most of the user''s jobs that are called at a time';
COMMENT ON COLUMN @extschema@.agent_users.weight IS 'As agent_tiers.weight';

CREATE TABLE @extschema@.agent_limits (
    tier           text COLLATE "C" NOT NULL,
    endpoint       text COLLATE "C" NOT NULL,
    max_requests   int NOT NULL,
    window_seconds int NOT NULL DEFAULT 60,
    shipped        boolean NOT NULL DEFAULT false,

    CONSTRAINT agent_limits_pkey PRIMARY KEY (tier, endpoint),
    CONSTRAINT agent_limits_tier_is_valid CHECK (length(tier) BETWEEN 1 AND 200 AND tier !~ '[[:cntrl:]]'),
    CONSTRAINT agent_limits_endpoint_is_valid
        CHECK (length(endpoint) BETWEEN 1 AND 200 AND endpoint !~ '[[:cntrl:]]'),
    CONSTRAINT agent_limits_max_requests_in_range CHECK (max_requests BETWEEN 0 AND 1000000),
    CONSTRAINT agent_limits_window_in_range CHECK (window_seconds BETWEEN 1 AND 3600)
);
COMMENT ON TABLE @extschema@.agent_limits IS
    'How often each user of a tier may ask an endpoint. An endpoint without a row has the tier''s row "*", else 10 '
    'requests a minute';
COMMENT ON COLUMN @extschema@.agent_limits.endpoint IS
    'agent_types.endpoint, or the agent type''s name where that is NULL; "*": each endpoint that has no row of its own';
COMMENT ON COLUMN @extschema@.agent_limits.max_requests IS
    '0 to 1,000,000: never more than so many in any span of window_seconds; 0: none';
COMMENT ON COLUMN @extschema@.agent_limits.window_seconds IS '1 to 3,600: seconds';
COMMENT ON COLUMN @extschema@.agent_limits.shipped IS
    'The row came with the extension and was not changed since. UPDATE makes it yours; INSERT of the same key '
    'replaces it';

CREATE TABLE @extschema@.agent_budgets (
    scope            text COLLATE "C" NOT NULL,
    name             text COLLATE "C" NOT NULL DEFAULT '',
    daily_cost_usd   numeric,
    monthly_cost_usd numeric,
    on_limit         text COLLATE "C" NOT NULL DEFAULT 'refuse',

    CONSTRAINT agent_budgets_pkey PRIMARY KEY (scope, name),
    CONSTRAINT agent_budgets_scope_is_known CHECK (scope IN ('all', 'tier', 'agent_type')),
    CONSTRAINT agent_budgets_name_is_valid
        CHECK (CASE WHEN scope = 'all' THEN name = ''
                    ELSE length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]' END),
    CONSTRAINT agent_budgets_daily_cost_in_range
        CHECK (daily_cost_usd BETWEEN 0 AND 1000000000 AND scale(daily_cost_usd) <= 9),
    CONSTRAINT agent_budgets_monthly_cost_in_range
        CHECK (monthly_cost_usd BETWEEN 0 AND 1000000000 AND scale(monthly_cost_usd) <= 9),
    CONSTRAINT agent_budgets_on_limit_is_known CHECK (on_limit IN ('refuse', 'park', 'throttle', 'alert'))
);
COMMENT ON TABLE @extschema@.agent_budgets IS
    'What many users may cost together: all jobs of the database, those of the users of one tier, those of one agent '
    'type. The budget of each single user stands in agent_tiers and agent_users';
COMMENT ON COLUMN @extschema@.agent_budgets.scope IS 'all, tier or agent_type';
COMMENT ON COLUMN @extschema@.agent_budgets.name IS 'Of the tier or the agent type; empty: all';
COMMENT ON COLUMN @extschema@.agent_budgets.daily_cost_usd IS
    'US dollars a day (agent_queue.budget_time_zone); NULL: no bound';
COMMENT ON COLUMN @extschema@.agent_budgets.monthly_cost_usd IS 'US dollars a calendar month; NULL: no bound';
COMMENT ON COLUMN @extschema@.agent_budgets.on_limit IS 'As agent_tiers.on_limit';

CREATE TABLE @extschema@.agent_alerts (
    id                bigint GENERATED BY DEFAULT AS IDENTITY,
    created_at        timestamptz NOT NULL DEFAULT now(),
    audience          text COLLATE "C" NOT NULL,
    user_id           uuid,
    scope             text COLLATE "C" NOT NULL,
    name              text COLLATE "C" NOT NULL,
    period            text COLLATE "C" NOT NULL,
    window_start      timestamptz NOT NULL,
    threshold_percent int NOT NULL,
    spent_usd         numeric NOT NULL,
    limit_usd         numeric NOT NULL,

    CONSTRAINT agent_alerts_pkey PRIMARY KEY (id),
    CONSTRAINT agent_alerts_audience_is_known CHECK (audience IN ('user', 'admin')),
    CONSTRAINT agent_alerts_scope_is_known CHECK (scope IN ('user', 'tier', 'agent_type', 'all')),
    CONSTRAINT agent_alerts_period_is_known CHECK (period IN ('day', 'month')),
    CONSTRAINT agent_alerts_once UNIQUE (scope, name, period, window_start, threshold_percent)
);
COMMENT ON TABLE @extschema@.agent_alerts IS
    'What needs a person: a budget has reached 80 % or 100 %, once each a window. NOTIFY agent_alerts tells of a new row';
COMMENT ON COLUMN @extschema@.agent_alerts.audience IS
    'user: the one whose budget it is, who can see the row; admin: whoever runs this';
COMMENT ON COLUMN @extschema@.agent_alerts.user_id IS 'Whose budget it is; NULL: that of many';
COMMENT ON COLUMN @extschema@.agent_alerts.scope IS 'user, tier, agent_type or all';
COMMENT ON COLUMN @extschema@.agent_alerts.name IS 'The user''s id, the tier or the agent type; empty: all';
COMMENT ON COLUMN @extschema@.agent_alerts.period IS 'day or month';
COMMENT ON COLUMN @extschema@.agent_alerts.window_start IS 'When that day or month began';
COMMENT ON COLUMN @extschema@.agent_alerts.threshold_percent IS
    '80, or 100: the budget is used up, or the next job would have cost more than was left';
COMMENT ON COLUMN @extschema@.agent_alerts.spent_usd IS 'US dollars spent in the window when it was noticed';
COMMENT ON COLUMN @extschema@.agent_alerts.limit_usd IS 'The budget at that time';
