-- The configuration tables: what their CHECKs refuse, and how shipped rows give way to a user's. All rolled back.
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
BEGIN;

-- Every column but the key has a default.
INSERT INTO agent_types (name) VALUES ('t_config');
SELECT to_jsonb(t) - 'name' AS defaults FROM agent_types AS t WHERE name = 't_config';
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_config', 'echo', 'echo') RETURNING position, weight;
INSERT INTO agent_providers (name) VALUES ('t_config');
SELECT to_jsonb(p) - 'name' AS defaults FROM agent_providers AS p WHERE name = 't_config';
INSERT INTO agent_models (provider, model) VALUES ('t_config', 'm');
SELECT to_jsonb(m) - 'valid_from' AS defaults, valid_from = now() AS from_now
FROM agent_models AS m WHERE provider = 't_config';
INSERT INTO agent_queues (name) VALUES ('t_config');
SELECT to_jsonb(q) - 'name' AS defaults FROM agent_queues AS q WHERE name = 't_config';

INSERT INTO cache_types (type) VALUES ('t_config');
SELECT to_jsonb(c) - 'type' AS defaults FROM cache_types AS c WHERE type = 't_config';

-- Names.
INSERT INTO agent_types (name) VALUES ('');
INSERT INTO agent_types (name) VALUES (repeat('n', 201));
INSERT INTO agent_types (name) VALUES (E'two\nlines');
INSERT INTO agent_types (name, queue) VALUES ('t_config2', E'tab\t');
INSERT INTO agent_types (name) VALUES (repeat('ñ', 200)), ('Ünïcode with spaces');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_config', '', 'm');
INSERT INTO agent_providers (name) VALUES (E'\x01');
INSERT INTO agent_queues (name) VALUES ('');

-- agent_types.
INSERT INTO agent_types (name, priority) VALUES ('t_config2', 0);
INSERT INTO agent_types (name, max_output_tokens) VALUES ('t_config2', 0);
INSERT INTO agent_types (name, max_output_tokens) VALUES ('t_config2', 1000001);
INSERT INTO agent_types (name, request_timeout) VALUES ('t_config2', '0');
INSERT INTO agent_types (name, expires_in) VALUES ('t_config2', '-1 s');
INSERT INTO agent_types (name, max_retries) VALUES ('t_config2', 101);
INSERT INTO agent_types (name, retry_base) VALUES ('t_config2', '2 hours');
INSERT INTO agent_types (name, on_uncertain) VALUES ('t_config2', 'ignore');
INSERT INTO agent_types (name, params) VALUES ('t_config2', '[]');
INSERT INTO agent_types (name, cache_scope) VALUES ('t_config2', 'world');
INSERT INTO agent_types (name, cache_type) VALUES ('t_config2', 'with:colon');
INSERT INTO agent_types (name, stale_while_revalidate) VALUES ('t_config2', '0');
INSERT INTO agent_types (name, expires_in, prompt_template) VALUES ('t_config2', NULL, 'To {{lang}}: {{text}}');

-- agent_routes.
INSERT INTO agent_routes (agent_type, position, provider, model) VALUES ('t_config', 0, 'echo', 'echo');
INSERT INTO agent_routes (agent_type, provider, model, weight) VALUES ('t_config', 'echo', 'echo2', -1);
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_config', 'echo', 'echo');

-- agent_providers.
INSERT INTO agent_providers (name, wire_format) VALUES ('t_config2', 'smtp');
INSERT INTO agent_providers (name, base_url) VALUES ('t_config2', 'ftp://example.org');
INSERT INTO agent_providers (name, base_url) VALUES ('t_config2', 'example.org');
INSERT INTO agent_providers (name, base_url) VALUES ('t_config2', 'https://user:password@example.org/v1');
INSERT INTO agent_providers (name, base_url) VALUES ('t_config2', 'https://example.org/v1?key=1');
INSERT INTO agent_providers (name, base_url) VALUES ('t_config2', 'https://example.org/v1?api-version=1&key=1');
INSERT INTO agent_providers (name, base_url) VALUES ('t_config2', E'https://example.org/v1\r\nx: y');
INSERT INTO agent_providers (name, base_url) VALUES ('t_config3', 'https://example.org:8443'),
    ('t_config4', 'http://[::1]:80/v1/');
INSERT INTO agent_providers (name, dialect, base_url) VALUES
    ('t_config9', 'azure', 'https://example.org/openai/deployments/d?api-version=2024-10-21'), ('t_config10', '', DEFAULT);
INSERT INTO agent_providers (name, dialect) VALUES ('t_config2', 'esperanto');
INSERT INTO agent_providers (name, dialect, wire_format) VALUES ('t_config2', 'azure', 'anthropic');
INSERT INTO agent_providers (name, api_key_ref) VALUES ('t_config2', 'sk-a-key-that-does-not-belong-here');
INSERT INTO agent_providers (name, api_key_ref) VALUES ('t_config2', 'env:');
INSERT INTO agent_providers (name, api_key_ref) VALUES ('t_config2', 'file:relative');
INSERT INTO agent_providers (name, api_key_ref) VALUES ('t_config5', 'env:MY_KEY'),
    ('t_config6', 'file:/run/secrets/key'), ('t_config7', 'vault:my key');
INSERT INTO agent_providers (name, headers) VALUES ('t_config2', '["x"]');
INSERT INTO agent_providers (name, headers) VALUES ('t_config2', '{"x": 1}');
INSERT INTO agent_providers (name, headers) VALUES ('t_config2', '{"x y": "1"}');
INSERT INTO agent_providers (name, headers) VALUES ('t_config2', '{"": "1"}');
INSERT INTO agent_providers (name, headers) VALUES ('t_config2', '{"x": "1\r\ny: 2"}');
INSERT INTO agent_providers (name, headers) VALUES ('t_config8', '{"X-Title": "our application", "OpenAI-Project": ""}');
INSERT INTO agent_providers (name, connect_timeout) VALUES ('t_config2', '0');
INSERT INTO agent_providers (name, max_in_flight) VALUES ('t_config2', 0);

-- agent_models: exact prices or none.
INSERT INTO agent_models (provider, model, input_usd_per_mtok) VALUES ('p', 'm', -0.1);
INSERT INTO agent_models (provider, model, input_usd_per_mtok) VALUES ('p', 'm', 0.0000000001);
INSERT INTO agent_models (provider, model, output_usd_per_mtok) VALUES ('p', 'm', 'NaN');
INSERT INTO agent_models (provider, model, output_usd_per_mtok) VALUES ('p', 'm', 'Infinity');
INSERT INTO agent_models (provider, model, input_usd_per_mtok, cached_input_usd_per_mtok) VALUES ('p', 'm', 1, 1.5);
INSERT INTO agent_models (provider, model, cache_write_1h_usd_per_mtok) VALUES ('p', 'm', -1);
INSERT INTO agent_models (provider, model, valid_from) VALUES ('p', 'm', '-infinity');
INSERT INTO agent_models (provider, model, valid_from, valid_to) VALUES ('p', 'm', '2026-02-01', '2026-01-01');
INSERT INTO agent_models (provider, model, capability) VALUES ('p', 'm', 'genius');
INSERT INTO agent_models (provider, model, input_usd_per_mtok) VALUES ('p', 'm', 0.000000001);

-- agent_queues.
INSERT INTO agent_queues (name, concurrency) VALUES ('t_config2', -1);
INSERT INTO agent_queues (name, keep_for) VALUES ('t_config2', '-1 day');

-- cache_types.
INSERT INTO cache_types (type) VALUES ('with:colon');
INSERT INTO cache_types (type) VALUES ('');
INSERT INTO cache_types (type, ttl) VALUES ('t_config2', '0');
INSERT INTO cache_types (type, ttl) VALUES ('t_config2', '11 years');

-- What an answer depends on can be read, or nothing is enqueued; but for who has no cache.
INSERT INTO agent_types (name, cache_type, cache_depends_on) VALUES
    ('t_config_unread', 'query', ARRAY['documents:{{id}}', 'users:{{}}']), ('t_config_null', 'query', ARRAY[NULL]);
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT enqueue_agent('t_config_unread', '{"text": "hi", "id": 1}');
SELECT enqueue_agent('t_config_null', '{"text": "hi"}');
\set VERBOSITY terse
UPDATE agent_types SET cache_scope = 'off' WHERE name = 't_config_unread';
UPDATE agent_types SET cache_type = NULL WHERE name = 't_config_null';
SELECT enqueue_agent('t_config_unread', '{"text": "hi"}') > 0, enqueue_agent('t_config_null', '{"text": "hi"}') > 0;
-- A client does not say that its job's result is stale.
INSERT INTO agent_queue (agent_type, request_data, cached, stale) VALUES ('t_config_null', '{"text": "hi"}', true, true)
RETURNING cached, stale;

-- A row of the user's takes the place of the shipped one, as a whole; nobody can call a row shipped.
INSERT INTO agent_providers (name, base_url, shipped) VALUES ('openai', 'http://127.0.0.1:9/v1', true);
SELECT name, base_url, api_key_ref, shipped FROM agent_providers WHERE name = 'openai';
INSERT INTO agent_providers (name) VALUES ('openai');
INSERT INTO agent_queues (name, paused) VALUES ('reports', true);
SELECT name, paused, shipped FROM agent_queues WHERE name = 'reports';
INSERT INTO agent_models (provider, model, input_usd_per_mtok, valid_from)
SELECT provider, model, 99, valid_from FROM agent_models WHERE provider = 'openai' AND model = 'gpt-4.1';
SELECT model, input_usd_per_mtok, output_usd_per_mtok, shipped
FROM agent_models WHERE provider = 'openai' AND model = 'gpt-4.1';
INSERT INTO cache_types (type, shipped) VALUES ('query', true);
SELECT ttl, shipped FROM cache_types WHERE type = 'query';
UPDATE cache_types SET ttl = ttl WHERE type = 'translation';
UPDATE cache_types SET ttl = '2 days' WHERE type = 'correction';
SELECT type, ttl, shipped FROM cache_types WHERE type IN ('translation', 'correction') ORDER BY type;
-- A later price stands beside the shipped one.
INSERT INTO agent_models (provider, model, input_usd_per_mtok) VALUES ('openai', 'gpt-5', 1);
SELECT input_usd_per_mtok, shipped FROM agent_models WHERE provider = 'openai' AND model = 'gpt-5' ORDER BY valid_from;
-- So does COPY, the way of a restore.
COPY agent_providers (name, wire_format, base_url, api_key_ref, shipped) FROM stdin;
mistral	openai	http://127.0.0.1:9/v1	env:OTHER	f
\.
SELECT name, base_url, api_key_ref, shipped FROM agent_providers WHERE name = 'mistral';

-- A change makes a shipped row the user's; a change that changes nothing does not.
UPDATE agent_providers SET enabled = enabled WHERE name = 'groq';
SELECT enabled, shipped FROM agent_providers WHERE name = 'groq';
UPDATE agent_providers SET enabled = false WHERE name = 'groq';
SELECT enabled, shipped FROM agent_providers WHERE name = 'groq';
UPDATE agent_providers SET shipped = true WHERE name = 'groq';
SELECT enabled, shipped FROM agent_providers WHERE name = 'groq';
UPDATE agent_models SET output_usd_per_mtok = 1 WHERE model = 'gpt-4o-mini';
SELECT output_usd_per_mtok, shipped FROM agent_models WHERE model = 'gpt-4o-mini';
UPDATE agent_queues SET concurrency = 3 WHERE name = 'notifications';
SELECT concurrency, shipped FROM agent_queues WHERE name = 'notifications';

ROLLBACK;
\set ON_ERROR_ROLLBACK off

-- What a job's row may be: the states and their rules. By the owner, with a status: stored as it is.
INSERT INTO agent_queue (agent_type, request_data, status, queue, priority, max_retries, created_at, run_at)
VALUES ('t_config', '{}', 'done', 'agents', 5, 3, now(), now());
INSERT INTO agent_queue (agent_type, request_data, status, queue, priority, max_retries, created_at, run_at)
VALUES ('t_config', '{}', 'completed', 'agents', 5, 3, now(), now());
INSERT INTO agent_queue (agent_type, request_data, status, queue, priority, max_retries, created_at, run_at)
VALUES ('t_config', '{}', 'failed', 'agents', 5, 3, now(), now());
INSERT INTO agent_queue (agent_type, request_data, status, error_code, queue, priority, max_retries, created_at, run_at)
VALUES ('t_config', '{}', 'failed', 'whatever', 'agents', 5, 3, now(), now());
INSERT INTO agent_queue (agent_type, request_data, status, queue, priority, max_retries, created_at, run_at)
VALUES ('t_config', '{}', 'pending', 'agents', 0, 3, now(), now());
INSERT INTO agent_queue (agent_type, request_data, status, queue, priority, max_retries, created_at, run_at)
VALUES ('t_config', '{}', 'pending', 'agents', 5, 101, now(), now());
INSERT INTO agent_queue (agent_type, request_data, status, queue, priority, max_retries, created_at, run_at)
VALUES ('t_config', '{}', 'pending', '', 5, 3, now(), now());
INSERT INTO agent_queue (agent_type, request_data, status, queue, priority, max_retries, created_at, run_at)
VALUES (repeat('é', 201), '{}', 'pending', 'agents', 5, 3, now(), now());
SELECT count(*) FROM agent_queue WHERE agent_type = 't_config';
-- A key where a reference belongs is refused without being repeated, whatever else is wrong with the row.
INSERT INTO agent_providers (name, wire_format, base_url, api_key_ref)
VALUES ('t_config_key', 'no such format', 'nowhere', 'sk-live-0123456789abcdef');
UPDATE agent_providers SET api_key_ref = 'sk-live-0123456789abcdef' WHERE name = 'openai';
