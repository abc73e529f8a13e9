-- The demo's configuration: three kinds of jobs and where they go. Replayed by every run.
-- Variables: provider, model, url (empty: the provider is there already).
BEGIN;

INSERT INTO agent_providers (name, wire_format, base_url)
SELECT :'provider', 'openai', :'url' WHERE :'url' <> ''
ON CONFLICT (name) DO UPDATE SET base_url = EXCLUDED.base_url;

-- The stub bills pretend money, at the prices of a small model.
INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok, valid_from)
VALUES ('stub', 'stub-small', 0.15, 0.60, '2026-01-01Z')
ON CONFLICT DO NOTHING;

INSERT INTO agent_types (name, system_prompt, prompt_template, result_template, max_output_tokens)
VALUES
    ('translate', 'You are a careful translator. Answer with the translation and nothing else.',
     E'Translate into {{target_lang}}.\n\n{{text}}', '{"translation": "{{text}}"}', 800),
    ('summarise', 'You summarise texts. Answer with the summary and nothing else.',
     E'Summarise in one sentence.\n\n{{text}}', '{"summary": "{{text}}"}', 300),
    ('classify', 'You classify texts by their mood. Answer with one word: positive, negative or neutral.',
     E'Classify the mood.\n\n{{text}}', '{"mood": "{{text}}"}', 100)
ON CONFLICT (name) DO UPDATE
SET system_prompt = EXCLUDED.system_prompt, prompt_template = EXCLUDED.prompt_template,
    result_template = EXCLUDED.result_template, max_output_tokens = EXCLUDED.max_output_tokens;

-- Mistral refuses members that it does not know, and knows the bound of the answer by its old name only.
UPDATE agent_types
SET params = CASE WHEN :'provider' = 'mistral' THEN jsonb_build_object('max_tokens', max_output_tokens) ELSE '{}' END
WHERE name IN ('translate', 'summarise', 'classify');

DELETE FROM agent_routes WHERE agent_type IN ('translate', 'summarise', 'classify');
INSERT INTO agent_routes (agent_type, position, provider, model)
SELECT name, 1, :'provider', :'model' FROM unnest(ARRAY['translate', 'summarise', 'classify']) AS name;

COMMIT;
