-- Where the money went: what the views of views/costs.sql are made with, and the account of one job. Tested in
-- sql/costs_view.sql and sql/explain_cost.sql.

-- The one place that says what a day is. Its body is bound to its names when it is made, so it needs no SET clause, with
-- which it could not be inlined.
CREATE OR REPLACE FUNCTION @extschema@.agent_queue_budget_day(
    at timestamptz
) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (at AT TIME ZONE pg_catalog.current_setting('agent_queue.budget_time_zone'))::date;
COMMENT ON FUNCTION @extschema@.agent_queue_budget_day(timestamptz) IS
    'The day in the time zone of agent_queue.budget_time_zone (granted by grant_agent_access)';

-- A function, and not a sub-select: the planner asks a STABLE one while it estimates, so that it knows how little lies
-- behind it and takes the index on id.
CREATE OR REPLACE FUNCTION @extschema@.agent_queue_folded_to() RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce((SELECT f.folded_to FROM @extschema@.api_usage_folded AS f), 0);
END
$$;
COMMENT ON FUNCTION @extschema@.agent_queue_folded_to() IS
    'All rows of api_usage with an id up to this one are in api_usage_rollup (granted by grant_agent_access)';

CREATE OR REPLACE FUNCTION @extschema@.explain_cost(
    -- agent_queue.id
    queue_id bigint
) RETURNS TABLE (
    attempt                     int,
    part                        int,
    started_at                  timestamptz,
    provider                    text,
    model                       text,
    input_tokens                bigint,
    cache_read_tokens           bigint,
    cache_write_tokens          bigint,
    output_tokens               bigint,
    reasoning_tokens            bigint,
    -- when the row of agent_models became valid that held at started_at; NULL: there is none
    price_valid_from            timestamptz,
    -- its prices; what it leaves to another price has that one
    input_usd_per_mtok          numeric,
    cached_input_usd_per_mtok   numeric,
    cache_write_usd_per_mtok    numeric,
    output_usd_per_mtok         numeric,
    -- what was booked; NULL: no price was known
    cost_usd                    numeric,
    -- the tokens at these prices; NULL: some of the tokens have none
    computed_usd                numeric,
    -- why the two differ; NULL: they do not
    remark                      text,
    estimated                   boolean,
    cached                      boolean,
    saved_usd                   numeric,
    first_token_ms              double precision,
    latency_ms                  double precision
)
    LANGUAGE C STABLE STRICT ROWS 3
    AS 'MODULE_PATHNAME', 'aq_explain_cost';
COMMENT ON FUNCTION @extschema@.explain_cost(bigint) IS
    'What each attempt of a job was billed, and how that comes about: tokens, the prices that held, what a cache saved. '
    'P0002: there is neither such a job nor usage of it that you may see (granted by grant_agent_access)';
