-- user_costs and its kin: money by day, from the usage rows; and that no attempt is accounted twice. The days lie in the
-- past, so that no worker has made a partition for them. Folding and the roll-up are in test/tap/231_fold.pl.
\set VERBOSITY terse
BEGIN;
SET LOCAL timezone = 'Pacific/Kiritimati';
INSERT INTO api_usage (queue_id, attempt, part, user_id, agent_type, provider, model, tokens_used, cost_usd, saved_usd,
                       cached, estimated, created_at)
SELECT queue_id, attempt, part, ('00000000-0000-0000-0000-0000000000' || who)::uuid, 't_costs', 't_costs',
       CASE WHEN queue_id = -6 THEN 'large' ELSE 'small' END, tokens, cost, saved, cached, estimated, at
FROM (VALUES
    -- one day, until the last microsecond
    (-1, 1, 1, 'c1', 100, 0.000000000000001, NULL, false, false, timestamptz '2020-10-31 00:00Z'),
    (-2, 1, 1, 'c1', 50, 1.5, NULL, false, false, timestamptz '2020-10-31 23:59:59.999999Z'),
    -- the next: a retry that counts, one without a known price, a cached one, one billed in two parts
    (-3, 1, 1, 'c1', 10, 0.25, NULL, false, true, timestamptz '2020-11-01 00:00Z'),
    (-3, 2, 1, 'c1', 10, 0.25, NULL, false, false, timestamptz '2020-11-01 00:00:02Z'),
    (-4, 1, 1, 'c1', 7, NULL, NULL, false, false, timestamptz '2020-11-01 12:00Z'),
    (-5, 1, 1, 'c1', 0, 0, 0.125, true, false, timestamptz '2020-11-01 12:00Z'),
    (-6, 1, 1, 'c1', 3, 0.5, NULL, false, false, timestamptz '2020-11-01 13:00Z'),
    (-6, 1, 2, 'c1', 4, 0.5, NULL, false, false, timestamptz '2020-11-01 13:00Z'),
    -- somebody of whose calls no price is known: unknown, not free
    (-7, 1, 1, 'c2', 1000, NULL, NULL, false, false, timestamptz '2020-11-01 12:00Z'),
    -- somebody whose calls are free
    (-8, 1, 1, 'c3', 1000, 0, NULL, false, false, timestamptz '2020-11-01 12:00Z')
) AS usage (queue_id, attempt, part, who, tokens, cost, saved, cached, estimated, at);

SELECT right(user_id::text, 2) AS who, to_char(date, 'YYYY-MM-DD') AS date, total_tokens, total_cost, total_requests,
       cached_requests, saved_cost
FROM user_costs WHERE user_id::text LIKE '%0000000000c_' ORDER BY user_id, user_costs.date;
SELECT right(user_id::text, 2) AS who, to_char(day, 'YYYY-MM-DD') AS date, model, requests, cached_requests AS cached,
       estimated_requests AS estimated, unpriced_requests AS unpriced, tokens_used, input_tokens, cost_usd, saved_usd
FROM daily_costs WHERE agent_type = 't_costs' ORDER BY user_id, day, model;
SELECT * FROM costs_by_agent_type WHERE agent_type = 't_costs' ORDER BY day;
SELECT * FROM costs_by_model WHERE provider = 't_costs' ORDER BY model, day;
SELECT * FROM costs_by_day WHERE day BETWEEN '2020-10-31' AND '2020-11-01' ORDER BY day;

-- What is asked of a user and a month is a look-up in the roll-up and, in each partition, in what is not folded.
CREATE FUNCTION pg_temp.scans(query text) RETURNS TABLE (table_name text, node text, condition text)
    LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_bitmapscan = off;
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
    RETURN QUERY
        SELECT n ->> 'Relation Name', concat_ws(' ', n ->> 'Node Type', n ->> 'Index Name'), n ->> 'Index Cond'
        FROM jsonb_path_query(plan, '$.** ? (exists (@."Relation Name"))') AS n
        WHERE n ->> 'Relation Name' IN ('api_usage_rollup', 'api_usage_default')
        GROUP BY 1, 2, 3 ORDER BY 1;
END
$$;
SELECT table_name, node,
       condition LIKE '%user_id = %' AS by_user, condition LIKE '%day >= %' AND condition LIKE '%day <= %' AS by_day,
       condition LIKE '%(id > %folded_to())%' AS by_id
FROM pg_temp.scans($$SELECT * FROM user_costs WHERE user_id = '00000000-0000-0000-0000-0000000000c1'
                     AND date BETWEEN '2020-10-01' AND '2020-10-31'$$);

-- The same attempt again is refused; another part or attempt is not.
SAVEPOINT before;
INSERT INTO api_usage (queue_id, attempt, created_at) VALUES (-1, 1, '2020-10-31 00:00Z');
\echo :SQLSTATE
ROLLBACK TO before;
INSERT INTO api_usage (queue_id, attempt, part, created_at)
VALUES (-1, 1, 2, '2020-10-31 00:00Z'), (-1, 2, 1, '2020-10-31 00:00Z');
ROLLBACK;
