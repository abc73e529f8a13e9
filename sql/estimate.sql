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
