-- explain_cost(): the account of one job, and who may see it. The jobs are of the past: usage and prices are given here.
\set VERBOSITY terse
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 960001;
\set a '00000000-0000-0000-0000-00000000eca1'
\set b '00000000-0000-0000-0000-00000000ecb1'
INSERT INTO agent_types (name) VALUES ('t_explain');
CREATE ROLE regress_agent_explain;
CREATE ROLE regress_agent_explain_service BYPASSRLS;
SELECT grant_agent_access('regress_agent_explain'), grant_agent_access('regress_agent_explain_service');
INSERT INTO agent_models (provider, model, input_usd_per_mtok, cached_input_usd_per_mtok, cache_write_usd_per_mtok,
                          cache_write_1h_usd_per_mtok, output_usd_per_mtok, valid_from, valid_to)
VALUES ('t_explain', 'm', 3, 0.3, 3.75, 6, 15, '2020-01-01Z', NULL),
       ('t_explain', 'm', 2, NULL, NULL, NULL, 10, '2020-02-01Z', '2020-03-01Z'),
       ('t_explain', 'half', 1, NULL, NULL, NULL, NULL, '2020-01-01Z', NULL);
SELECT enqueue_agent('t_explain', '{"text": "of A"}', user_id => :'a', delay => '1 day') AS a_job \gset
SELECT enqueue_agent('t_explain', '{"text": "of B"}', user_id => :'b', delay => '1 day') AS b_job \gset
SELECT enqueue_agent('t_explain', '{"text": "of the system"}', delay => '1 day') AS system_job \gset

INSERT INTO api_usage (queue_id, attempt, part, user_id, agent_type, provider, model, input_tokens, cache_read_tokens,
                       cache_write_tokens, output_tokens, reasoning_tokens, cost_usd, saved_usd, cached, estimated,
                       latency_ms, first_token_ms, created_at)
VALUES
    -- exact; the price row that held a microsecond before the next one
    (:a_job, 1, 1, :'a', 't_explain', 't_explain', 'm', 1000, 2000, 400, 100, 50, 0.0066, NULL, false, false, 1200, 80,
     '2020-01-31 23:59:59.999999Z'),
    -- the next row: what it leaves open costs as plain input
    (:a_job, 2, 1, :'a', 't_explain', 't_explain', 'm', 1000, 2000, 400, 100, 50, 0.0078, NULL, false, true, 1200, NULL,
     '2020-02-01Z'),
    -- it has ended: the former again; 100 of the cache writes were for an hour
    (:a_job, 3, 1, :'a', 't_explain', 't_explain', 'm', 0, 0, 400, 0, 0, 0.001725, NULL, false, false, 5, NULL,
     '2020-03-01Z'),
    -- the provider said itself what it cost
    (:a_job, 4, 1, :'a', 't_explain', 't_explain', 'm', 1000, 0, 0, 0, 0, 0.01, NULL, false, false, 5, NULL,
     '2020-04-01Z'),
    -- output without a price, a model without any, one before all prices
    (:a_job, 5, 1, :'a', 't_explain', 't_explain', 'half', 1000, 0, 0, 0, 0, 0.001, NULL, false, false, 5, NULL,
     '2020-04-02Z'),
    (:a_job, 5, 2, :'a', 't_explain', 't_explain', 'half', 1000, 0, 0, 1, 0, NULL, NULL, false, false, 5, NULL,
     '2020-04-02Z'),
    (:a_job, 6, 1, :'a', 't_explain', 't_explain', 'other', 1000, 0, 0, 1, 0, NULL, NULL, false, false, 5, NULL,
     '2020-04-03Z'),
    (:a_job, 7, 1, :'a', 't_explain', 't_explain', 'm', 1000, 0, 0, 0, 0, NULL, NULL, false, false, 5, NULL,
     '2019-04-03Z'),
    -- served from the cache
    (:a_job, 8, 1, :'a', 't_explain', 't_explain', 'm', 1000, 0, 0, 100, 0, 0, 0.0045, true, false, 1, NULL,
     '2020-05-01Z'),
    -- of B; and of a job of A that is gone
    (:b_job, 1, 1, :'b', 't_explain', 't_explain', 'm', 1000, 0, 0, 0, 0, 0.003, NULL, false, false, 5, NULL,
     '2020-04-01Z'),
    (960999, 1, 1, :'a', 't_explain', 't_explain', 'm', 1000, 0, 0, 0, 0, 0.003, NULL, false, false, 5, NULL,
     '2020-04-01Z');

SELECT attempt, part, started_at AT TIME ZONE 'UTC' AS started_at, model, input_tokens AS input,
       cache_read_tokens AS read, cache_write_tokens AS write, output_tokens AS output, reasoning_tokens AS reasoning,
       estimated, cached, saved_usd, first_token_ms, latency_ms
FROM explain_cost(:a_job);
SELECT attempt, part, (price_valid_from AT TIME ZONE 'UTC')::date AS valid_from, input_usd_per_mtok AS input, cached_input_usd_per_mtok AS read,
       cache_write_usd_per_mtok AS write, output_usd_per_mtok AS output, cost_usd, computed_usd, remark
FROM explain_cost(:a_job);
-- A job without usage; none; no id.
SELECT count(*) FROM explain_cost(:system_job);
SELECT count(*) FROM explain_cost(1234567890123);
\echo :SQLSTATE
SELECT count(*) FROM explain_cost(NULL);

-- A user sees the own jobs, also those that are gone, with the prices of the calls; not those of others.
SET ROLE regress_agent_explain;
SET request.jwt.claims = '{"sub": "00000000-0000-0000-0000-00000000eca1"}';
SELECT count(*), sum(cost_usd), sum(input_usd_per_mtok) FROM explain_cost(:a_job);
SELECT cost_usd, computed_usd FROM explain_cost(960999);
SELECT count(*) FROM explain_cost(:b_job);
\echo :SQLSTATE
SELECT count(*) FROM explain_cost(:system_job);
SELECT count(*) FROM agent_models;
-- Nor by an operator of the user's own, which would be called as the owner.
CREATE FUNCTION pg_temp.planted(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'called as %', current_user;
    RETURN true;
END
$$;
CREATE OPERATOR pg_temp.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = pg_temp.planted);
SET search_path = pg_temp, public, pg_catalog;
SELECT cost_usd, computed_usd FROM explain_cost(960999);
RESET search_path;
SET request.jwt.claims = '{"sub": "00000000-0000-0000-0000-00000000ecb1"}';
SELECT cost_usd, computed_usd FROM explain_cost(:b_job);
SELECT count(*) FROM explain_cost(960999);
RESET request.jwt.claims;
SELECT count(*) FROM explain_cost(:a_job);
-- A role that bypasses row-level security sees all of them.
SET ROLE regress_agent_explain_service;
SELECT count(*), sum(input_usd_per_mtok) FROM explain_cost(:a_job);
RESET ROLE;
-- Without access nothing.
SELECT revoke_agent_access('regress_agent_explain'), revoke_agent_access('regress_agent_explain_service');
SET ROLE regress_agent_explain;
SELECT count(*) FROM explain_cost(:a_job);
RESET ROLE;

DROP OPERATOR pg_temp.= (bigint, bigint);
DROP FUNCTION pg_temp.planted(bigint, bigint);
DELETE FROM api_usage WHERE agent_type = 't_explain';
DELETE FROM api_usage_rollup WHERE agent_type = 't_explain';
DELETE FROM agent_queue WHERE agent_type = 't_explain';
DELETE FROM agent_models WHERE provider = 't_explain';
DELETE FROM agent_types WHERE name = 't_explain';
DROP ROLE regress_agent_explain, regress_agent_explain_service;
