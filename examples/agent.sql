-- The agent type of the examples: psql -f examples/agent.sql -v provider=openai -v model=gpt-4.1-nano
\if :{?provider}
\else
\set provider echo
\set model echo
\endif
INSERT INTO agent_types (name, prompt_template, result_template)
VALUES ('summarise', 'Summarise in one sentence: {{text}}', '{"summary": "{{text}}"}')
ON CONFLICT (name) DO NOTHING;
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('summarise', :'provider', :'model')
ON CONFLICT DO NOTHING;
