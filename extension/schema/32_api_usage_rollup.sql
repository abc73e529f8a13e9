-- Usage added up, for ever: it outlives the partitions that it was added up from. The worker folds api_usage into it
-- (pg/store/fold_task), and the views add what is not folded yet. Tested in sql/costs_view.sql and test/tap/231_fold.pl.
CREATE TABLE @extschema@.api_usage_rollup (
    day                 date NOT NULL,
    user_id             uuid,
    agent_type          text COLLATE "C",
    provider            text COLLATE "C",
    model               text COLLATE "C",
    requests            bigint NOT NULL,
    cached_requests     bigint NOT NULL,
    estimated_requests  bigint NOT NULL,
    unpriced_requests   bigint NOT NULL,
    tokens_used         bigint NOT NULL,
    input_tokens        bigint NOT NULL,
    cache_read_tokens   bigint NOT NULL,
    cache_write_tokens  bigint NOT NULL,
    output_tokens       bigint NOT NULL,
    reasoning_tokens    bigint NOT NULL,
    cost_usd            numeric,
    saved_usd           numeric NOT NULL
) WITH (fillfactor = 70);

-- The key: what a fold adds to. The user comes first, because users ask for their own days.
CREATE UNIQUE INDEX api_usage_rollup_key
    ON @extschema@.api_usage_rollup (user_id, day, agent_type, provider, model) NULLS NOT DISTINCT;
CREATE INDEX api_usage_rollup_day ON @extschema@.api_usage_rollup (day);

COMMENT ON TABLE @extschema@.api_usage_rollup IS
    'Usage by day, user, agent type, provider and model, as far as it is folded; read it through daily_costs';
COMMENT ON COLUMN @extschema@.api_usage_rollup.day IS
    'On which the attempts were started (agent_queue.budget_time_zone, as it was when they were folded)';
COMMENT ON COLUMN @extschema@.api_usage_rollup.user_id IS 'NULL: the system';
COMMENT ON COLUMN @extschema@.api_usage_rollup.requests IS 'Attempts, cached answers included';
COMMENT ON COLUMN @extschema@.api_usage_rollup.estimated_requests IS
    'Attempts whose provider did not say what it counted';
COMMENT ON COLUMN @extschema@.api_usage_rollup.unpriced_requests IS
    'Attempts without a known price: they are in tokens, not in cost_usd';
COMMENT ON COLUMN @extschema@.api_usage_rollup.tokens_used IS 'All tokens: input (cached included) and output';
COMMENT ON COLUMN @extschema@.api_usage_rollup.cost_usd IS
    'US dollars of the attempts whose price is known; NULL: of none';
COMMENT ON COLUMN @extschema@.api_usage_rollup.saved_usd IS 'US dollars that cached answers did not cost';

-- The row is made by the first fold, not here: one that is restored would meet it.
CREATE TABLE @extschema@.api_usage_folded (
    folded_to bigint NOT NULL
);
CREATE UNIQUE INDEX api_usage_folded_is_one_row ON @extschema@.api_usage_folded ((true));
COMMENT ON TABLE @extschema@.api_usage_folded IS 'One row: how far api_usage is in api_usage_rollup; none: not at all';
COMMENT ON COLUMN @extschema@.api_usage_folded.folded_to IS
    'All rows of api_usage with an id up to this one are in the roll-up';
