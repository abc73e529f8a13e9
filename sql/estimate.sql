-- select_optimal_model(): the cheapest model that will do. In one transaction, taken back, over a price list of the
-- test's own. The CONTEXT of errors is left out.
\set SHOW_CONTEXT never
\set ON_ERROR_ROLLBACK on
BEGIN;
DELETE FROM agent_models;
INSERT INTO agent_providers (name, enabled) VALUES ('t_one', true), ('t_two', true), ('t_off', false);
INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok, capability, reasoning,
                          context_tokens, max_output_tokens, valid_from, valid_to)
VALUES ('t_one', 'small',    0.10, 0.40, 'low',    false, NULL,   NULL,   '2020-01-01', NULL),
       ('t_one', 'middle',   1,    4,    'medium', false, 128000, 16384,  '2020-01-01', NULL),
       ('t_two', 'middle',   1,    4,    'medium', true,  NULL,   NULL,   '2020-01-01', NULL),
       ('t_two', 'large',    5,    20,   'high',   true,  400000, 100000, '2020-01-01', NULL),
       ('t_two', 'unpriced', NULL, NULL, 'high',   true,  400000, 100000, '2020-01-01', NULL),
       ('t_two', 'past',     0.01, 0.01, 'high',   true,  400000, 100000, '2020-01-01', '2021-01-01'),
       ('t_two', 'future',   0.01, 0.01, 'high',   true,  400000, 100000, '9999-01-01', NULL),
       ('t_off', 'disabled', 0.01, 0.01, 'high',   true,  400000, 100000, '2020-01-01', NULL),
       ('t_gone', 'nobody',  0.01, 0.01, 'high',   true,  400000, 100000, '2020-01-01', NULL);

-- The cost is that of a thousand tokens: (4 × input + 3 × output) / 7000.
SELECT * FROM select_optimal_model('low', false, 1000);
SELECT * FROM select_optimal_model('medium', false, 1000);
SELECT * FROM select_optimal_model('medium', true, 1000);
SELECT * FROM select_optimal_model('high', false, 1000);
SELECT * FROM select_optimal_model(complexity => 'low', requires_reasoning => NULL);
-- A model that does not say how much it writes is not trusted with more than 4,096 tokens.
SELECT provider, model FROM select_optimal_model('low', false, 4096);
SELECT provider, model FROM select_optimal_model('low', false, 4097);
SELECT provider, model FROM select_optimal_model('low', true, 16385);
-- Nothing fits: no row.
SELECT * FROM select_optimal_model('high', true, 100001);
-- Prices as they are now: a row that is new, one that is changed, a provider that is switched off.
UPDATE agent_models SET input_usd_per_mtok = 0.5 WHERE provider = 't_two' AND model = 'middle';
SELECT * FROM select_optimal_model('medium');
UPDATE agent_providers SET enabled = false WHERE name = 't_two';
SELECT * FROM select_optimal_model('medium');
SELECT * FROM select_optimal_model('high');

-- Bad input.
SELECT * FROM select_optimal_model('Medium');
SELECT * FROM select_optimal_model(NULL);
SELECT * FROM select_optimal_model('low', false, 0);
SELECT * FROM select_optimal_model('low', false, -1);

-- A route may leave the model to us, and then the provider too; not the provider alone.
INSERT INTO agent_types (name, complexity) VALUES ('t_estimate', 'huge');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_estimate', 'auto', 'auto'), ('t_estimate', 't_one', 'auto');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_estimate', 'auto', 'small');

-- Users may ask; the price list itself stays closed.
CREATE ROLE regress_agent_estimate;
SELECT grant_agent_access('regress_agent_estimate');
SET ROLE regress_agent_estimate;
SELECT * FROM select_optimal_model('low');
SELECT count(*) FROM agent_models;
RESET ROLE;
ROLLBACK;
\set ON_ERROR_ROLLBACK off

-- estimate_cost(): by the rule of thumb, and by what was counted.
\set ON_ERROR_ROLLBACK on
BEGIN;
DELETE FROM agent_models;
DELETE FROM agent_token_ratios;
INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok, valid_from) VALUES
    ('t_one', 'shared', 1, 2, '2020-01-01'), ('t_two', 'shared', 3, 4, '2020-01-01'),
    ('t_one', 'single', 1, 2, '2020-01-01'), ('t_two', 'single', NULL, NULL, '2020-01-01'),
    ('t_two', 'half', 1, NULL, '2020-01-01'), ('t_two', 'org/model', 1, 2, '2020-01-01'),
    ('t_two', 'future', 1, 2, '9999-01-01');
SELECT * FROM estimate_cost(repeat('x', 4000), 't_one/shared');
SELECT * FROM estimate_cost(repeat('x', 4001), 't_two/shared', 10);
-- Characters, not bytes.
SELECT * FROM estimate_cost(repeat('ñ', 400), 't_one/shared');
SELECT * FROM estimate_cost('', 'single');
SELECT * FROM estimate_cost('x', 'single', 0);
SELECT * FROM estimate_cost('x', 'org/model', 1000000);
-- A price that is unknown is NULL, never 0; a part without tokens needs none.
SELECT * FROM estimate_cost('x', 't_two/single');
SELECT * FROM estimate_cost('x', 'half') UNION ALL SELECT * FROM estimate_cost('x', 'half', 0);
SELECT * FROM estimate_cost('x', 'future');
-- 1,000 characters were 500 tokens, and 100 tokens were answered.
INSERT INTO agent_token_ratios VALUES ('t_one', 'shared', 10, 1000, 500, 100, 2, 5, '2026-01-01');
SELECT * FROM estimate_cost(repeat('x', 4000), 't_one/shared');
SELECT * FROM estimate_cost(repeat('x', 4000), 't_one/shared', 7);
SELECT * FROM estimate_cost(repeat('x', 4000), 't_two/shared');
SELECT provider, model, samples, chars_per_token, output_per_input, input_error_percent, output_error_percent
FROM estimate_cost_error;
UPDATE agent_token_ratios SET samples = 0, prompt_chars = 0, input_tokens = 0, output_tokens = 0;
SELECT * FROM estimate_cost(repeat('x', 4000), 't_one/shared');
SELECT chars_per_token, output_per_input, input_error_percent FROM estimate_cost_error;

-- Bad input.
SELECT * FROM estimate_cost('x', 'shared');
SELECT * FROM estimate_cost('x', 'shard');
SELECT * FROM estimate_cost('x', 't_three/shared');
SELECT * FROM estimate_cost('x', '');
SELECT * FROM estimate_cost('x', NULL);
SELECT * FROM estimate_cost(NULL, 'single');
SELECT * FROM estimate_cost(repeat('x', 1048577), 'single');
SELECT * FROM estimate_cost('x', 'single', -1);
SELECT * FROM estimate_cost('x', 'single', 1000001);
\set VERBOSITY terse
INSERT INTO agent_token_ratios VALUES ('t_one', 'single', -1, 0, 0, 0, 0, 0, now());
\set VERBOSITY default

-- Users may ask, and see nothing of the tables; an operator of theirs is not called with the owner's rights.
CREATE ROLE regress_agent_estimate;
SELECT grant_agent_access('regress_agent_estimate');
CREATE SCHEMA planted AUTHORIZATION regress_agent_estimate;
SET ROLE regress_agent_estimate;
CREATE FUNCTION planted.equals(text, text) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'called as %', current_user; END $$;
CREATE OPERATOR planted.= (LEFTARG = text, RIGHTARG = text, FUNCTION = planted.equals);
SET search_path = planted, pg_catalog, public;
SELECT * FROM estimate_cost('Hello', 't_one/shared');
RESET search_path;
SELECT count(*) FROM agent_token_ratios;
SELECT count(*) FROM estimate_cost_error;
RESET ROLE;
ROLLBACK;
\set ON_ERROR_ROLLBACK off
