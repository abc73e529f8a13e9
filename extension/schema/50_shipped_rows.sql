-- The rows that are there after CREATE EXTENSION. Prices are US dollars per million tokens of the standard tier, from
-- public lists; where a list was doubtful, the price is NULL (unknown) rather than wrong.
INSERT INTO @extschema@.agent_queues (name, shipped) VALUES
    ('agents', true), ('reports', true), ('notifications', true);

INSERT INTO @extschema@.agent_tiers (name, daily_requests, daily_cost_usd, monthly_cost_usd, weight, unlimited, shipped)
VALUES ('free',       100,  0.10, 2,    100,  false, true),
       ('premium',    1000, 5,    100,  400,  false, true),
       ('superadmin', NULL, NULL, NULL, 1000, true,  true);
INSERT INTO @extschema@.agent_limits (tier, endpoint, max_requests, shipped)
VALUES ('free',    'check_answer', 10,  true), ('free',    'translate',   20, true),
       ('free',    'examples',     5,   true), ('free',    'ask_teacher', 50, true),
       ('premium', 'check_answer', 50,  true), ('premium', 'translate',   100, true),
       ('premium', 'examples',     30,  true), ('premium', 'ask_teacher', 50, true);

INSERT INTO @extschema@.agent_providers (name, wire_format, dialect, base_url, api_key_ref, shipped) VALUES
    ('openai',     'openai', 'openai',     'https://api.openai.com/v1',      'env:OPENAI_API_KEY',     true),
    ('deepseek',   'openai', 'deepseek',   'https://api.deepseek.com',       'env:DEEPSEEK_API_KEY',   true),
    ('mistral',    'openai', 'mistral',    'https://api.mistral.ai/v1',      'env:MISTRAL_API_KEY',    true),
    ('groq',       'openai', 'groq',       'https://api.groq.com/openai/v1', 'env:GROQ_API_KEY',       true),
    ('openrouter', 'openai', 'openrouter', 'https://openrouter.ai/api/v1',   'env:OPENROUTER_API_KEY', true);
INSERT INTO @extschema@.agent_providers (name, wire_format, base_url, api_key_ref, shipped) VALUES
    ('anthropic',  'anthropic', 'https://api.anthropic.com/v1', 'env:ANTHROPIC_API_KEY', true),
    ('gemini',     'gemini', 'https://generativelanguage.googleapis.com/v1beta', 'env:GEMINI_API_KEY', true),
    ('echo',       'echo',   'http://localhost',               '',                       true);
-- Servers on this machine, at their usual ports: Ollama, vLLM, llama.cpp. The first call may load the model. Ollama's
-- OpenAI endpoint takes what llama.cpp's does.
INSERT INTO @extschema@.agent_providers (name, wire_format, dialect, base_url, first_byte_timeout, shipped) VALUES
    ('ollama',     'ollama', NULL,       'http://127.0.0.1:11434',    '10 min', true),
    ('local',      'openai', 'llamacpp', 'http://127.0.0.1:11434/v1', '10 min', true),
    ('vllm',       'openai', 'vllm',     'http://127.0.0.1:8000/v1',  '10 min', true),
    ('llamacpp',   'openai', 'llamacpp', 'http://127.0.0.1:8080/v1',  '10 min', true);

-- OpenAI, list of August 2026; older models from the day on that their price holds. Writing to the prompt cache costs
-- 1.25 × input from gpt-5.6 on, nothing extra before. gpt-6.1-terra: requests over 272,000 tokens cost more, and so do
-- cache writes that are kept for 12 hours.
INSERT INTO @extschema@.agent_models (provider, batch_discount, shipped, model, input_usd_per_mtok,
                                      cached_input_usd_per_mtok, cache_write_usd_per_mtok, output_usd_per_mtok,
                                      context_tokens, max_output_tokens, capability, reasoning, valid_from)
SELECT 'openai', 0.5, true, price.*
FROM (VALUES
    ('gpt-4',         30,   NULL,  NULL,  60,   8192,    8192,   'medium', false, timestamptz '2023-03-14 00:00Z'),
    ('gpt-3.5-turbo', 0.50, NULL,  NULL,  1.50, 16385,   4096,   'low',    false, timestamptz '2024-02-16 00:00Z'),
    ('gpt-4-turbo',   10,   NULL,  NULL,  30,   128000,  4096,   'medium', false, timestamptz '2024-04-09 00:00Z'),
    ('gpt-4o',        5,    NULL,  NULL,  15,   128000,  4096,   'medium', false, timestamptz '2024-05-13 00:00Z'),
    ('gpt-4o',        2.50, 1.25,  NULL,  10,   128000,  16384,  'medium', false, timestamptz '2024-10-02 00:00Z'),
    ('gpt-4o-mini',   0.15, 0.075, NULL,  0.60, 128000,  16384,  'low',    false, timestamptz '2024-07-18 00:00Z'),
    ('gpt-4.1',       2,    0.50,  NULL,  8,    1047576, 32768,  'medium', false, timestamptz '2025-04-14 00:00Z'),
    ('gpt-4.1-mini',  0.40, 0.10,  NULL,  1.60, 1047576, 32768,  'low',    false, timestamptz '2025-04-14 00:00Z'),
    ('gpt-4.1-nano',  0.10, 0.025, NULL,  0.40, 1047576, 32768,  'low',    false, timestamptz '2025-04-14 00:00Z'),
    ('o3',            2,    0.50,  NULL,  8,    200000,  100000, 'high',   true,  timestamptz '2026-08-01 00:00Z'),
    ('o4-mini',       1.10, 0.275, NULL,  4.40, 200000,  100000, 'medium', true,  timestamptz '2026-08-01 00:00Z'),
    ('gpt-5',         1.25, 0.125, NULL,  10,   400000,  128000, 'high',   true,  timestamptz '2026-08-01 00:00Z'),
    ('gpt-5-mini',    0.25, 0.025, NULL,  2,    400000,  128000, 'medium', true,  timestamptz '2026-08-01 00:00Z'),
    ('gpt-5-nano',    0.05, 0.005, NULL,  0.40, 400000,  128000, 'low',    true,  timestamptz '2026-08-01 00:00Z'),
    ('gpt-5.2',       1.75, 0.175, NULL,  14,   400000,  128000, 'high',   true,  timestamptz '2026-08-01 00:00Z'),
    ('gpt-5.4',       2.50, 0.25,  NULL,  15,   NULL,    NULL,   'high',   true,  timestamptz '2026-08-01 00:00Z'),
    ('gpt-5.4-mini',  0.75, 0.075, NULL,  4.50, NULL,    NULL,   'medium', true,  timestamptz '2026-08-01 00:00Z'),
    ('gpt-5.5',       5,    0.50,  NULL,  30,   NULL,    NULL,   'high',   true,  timestamptz '2026-08-01 00:00Z'),
    ('gpt-5.6-sol',   5,    0.50,  6.25,  30,   NULL,    NULL,   'high',   true,  timestamptz '2026-08-01 00:00Z'),
    ('gpt-5.6-terra', 2,    0.20,  2.50,  12,   NULL,    NULL,   'medium', true,  timestamptz '2026-08-01 00:00Z'),
    ('gpt-5.6-luna',  0.20, 0.02,  0.25,  1.20, NULL,    NULL,   'low',    true,  timestamptz '2026-08-01 00:00Z'),
    ('gpt-6-sol',     2,    0.20,  2.50,  10,   NULL,    NULL,   'high',   true,  timestamptz '2026-09-22 00:00Z'),
    ('gpt-6-luna',    0.10, 0.01,  0.125, 0.50, NULL,    NULL,   'low',    true,  timestamptz '2026-09-22 00:00Z'),
    ('gpt-6.1-terra', 1,    0.05,  1.25,  5,    NULL,    NULL,   'medium', true,  timestamptz '2026-10-26 00:00Z')
) AS price;

-- DeepSeek charges by the hour of the day since 2026-08-16, and only its off-peak prices (flash 0.15 / 0.003 / 0.60,
-- pro 0.66 / 0.022 / 1.98) were known when this list was made: from then on the price is unknown.
INSERT INTO @extschema@.agent_models (provider, model,
                                      input_usd_per_mtok, cached_input_usd_per_mtok, output_usd_per_mtok,
                                      capability, reasoning, valid_from, valid_to, shipped)
VALUES
    ('deepseek', 'deepseek-v4-flash', 0.14, 0.0028, 0.28, 'low', true, '2026-08-01 00:00Z', '2026-08-16 00:00Z', true),
    ('deepseek', 'deepseek-v4-flash', NULL, NULL, NULL, 'low', true, '2026-08-16 00:00Z', NULL, true),
    ('deepseek', 'deepseek-v4-pro', 0.435, 0.003625, 0.87, 'high', true, '2026-08-01 00:00Z', '2026-08-16 00:00Z', true),
    ('deepseek', 'deepseek-v4-pro', NULL, NULL, NULL, 'high', true, '2026-08-16 00:00Z', NULL, true);

INSERT INTO @extschema@.agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok, capability, valid_from,
                                      shipped)
VALUES
    ('mistral', 'mistral-large-latest', 0.50, 1.50, 'medium', '2026-08-01 00:00Z', true),
    ('mistral', 'mistral-small-latest', 0.10, 0.30, 'low',    '2026-08-01 00:00Z', true);

-- Anthropic, lists of August and November 2026. Writing to the prompt cache costs 1.25 × input for five minutes and 2 ×
-- for an hour. No row: claude-haiku-5-5, of which only the lowest of several prices is known.
INSERT INTO @extschema@.agent_models (provider, batch_discount, shipped, model, input_usd_per_mtok,
                                      cached_input_usd_per_mtok, cache_write_usd_per_mtok, cache_write_1h_usd_per_mtok,
                                      output_usd_per_mtok, capability, reasoning, valid_from)
SELECT 'anthropic', 0.5, true, price.*
FROM (VALUES
    ('claude-opus-4-5',   5,  0.50, 6.25, 10, 25, 'high',   true, timestamptz '2026-08-01 00:00Z'),
    ('claude-opus-4-6',   5,  0.50, 6.25, 10, 25, 'high',   true, timestamptz '2026-08-01 00:00Z'),
    ('claude-opus-4-7',   5,  0.50, 6.25, 10, 25, 'high',   true, timestamptz '2026-08-01 00:00Z'),
    ('claude-opus-4-8',   5,  0.50, 6.25, 10, 25, 'high',   true, timestamptz '2026-08-01 00:00Z'),
    ('claude-opus-5',     5,  0.50, 6.25, 10, 25, 'high',   true, timestamptz '2026-07-24 00:00Z'),
    ('claude-opus-5-5',   4,  0.20, 5,    8,  20, 'high',   true, timestamptz '2026-09-22 00:00Z'),
    ('claude-sonnet-4-5', 3,  0.30, 3.75, 6,  15, 'medium', true, timestamptz '2026-08-01 00:00Z'),
    ('claude-sonnet-4-6', 3,  0.30, 3.75, 6,  15, 'medium', true, timestamptz '2026-08-01 00:00Z'),
    ('claude-sonnet-5',   2,  0.20, 2.50, 4,  10, 'medium', true, timestamptz '2026-08-01 00:00Z'),
    ('claude-sonnet-5-5', 2,  0.20, 2.50, 4,  10, 'medium', true, timestamptz '2026-11-01 00:00Z'),
    ('claude-haiku-4-5',  1,  0.10, 1.25, 2,  5,  'low',    true, timestamptz '2026-08-01 00:00Z'),
    ('claude-fable-5',    10, 1,    12.5, 20, 50, 'high',   true, timestamptz '2026-08-01 00:00Z'),
    ('claude-fable-5-1',  10, 1,    12.5, 20, 50, 'high',   true, timestamptz '2026-09-01 00:00Z')
) AS price;

-- Gemini, lists of August and November 2026. Prompts over 200,000 tokens cost more than the price here at 2.5-pro, 3-pro
-- and 3.1-pro-preview. Some prices are introductory until the end of 2026.
INSERT INTO @extschema@.agent_models (provider, batch_discount, shipped, model, input_usd_per_mtok,
                                      cached_input_usd_per_mtok, output_usd_per_mtok, capability, reasoning, valid_from,
                                      valid_to)
SELECT 'gemini', 0.5, true, price.*
FROM (VALUES
    ('gemini-2.5-pro',         1.25, 0.125, 10,   'high',   true, timestamptz '2026-08-01 00:00Z', NULL::timestamptz),
    ('gemini-2.5-flash',       0.30, 0.03,  2.50, 'medium', true, timestamptz '2026-08-01 00:00Z', NULL),
    ('gemini-2.5-flash-lite',  0.10, 0.01,  0.40, 'low',    true, timestamptz '2026-08-01 00:00Z', NULL),
    ('gemini-3-pro',           2,    0.20,  12,   'high',   true, timestamptz '2026-08-01 00:00Z', NULL),
    ('gemini-3.1-pro-preview', 2,    0.20,  12,   'high',   true, timestamptz '2026-08-01 00:00Z', NULL),
    ('gemini-3-flash-preview', 0.50, 0.05,  3,    'medium', true, timestamptz '2026-08-01 00:00Z', NULL),
    ('gemini-3.5-flash',       1.50, 0.15,  9,    'medium', true, timestamptz '2026-08-01 00:00Z', NULL),
    ('gemini-3.5-flash-lite',  0.30, 0.03,  2.50, 'low',    true, timestamptz '2026-08-01 00:00Z', NULL),
    ('gemini-3.7-flash',       0.75, 0.075, 3.75, 'medium', true, '2026-08-13 00:00Z', '2027-01-01 00:00Z'),
    ('gemini-3.7-flash',       1.50, 0.15,  7.50, 'medium', true, '2027-01-01 00:00Z', NULL),
    ('gemini-3.8-flash',       0.75, 0.075, 3.75, 'medium', true, '2026-09-02 00:00Z', '2027-01-01 00:00Z'),
    ('gemini-3.8-flash',       1.50, 0.15,  7.50, 'medium', true, '2027-01-01 00:00Z', NULL)
) AS price;

-- Inside the worker, and therefore really free.
INSERT INTO @extschema@.agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok, valid_from, shipped)
VALUES
    ('echo', 'echo', 0, 0, '2026-08-01 00:00Z', true);
