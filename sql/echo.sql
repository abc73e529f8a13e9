-- From enqueue to answer through the worker, with the provider that needs no network: prompt, params, result, money.
INSERT INTO agent_types (name, system_prompt, prompt_template, result_template, params, max_retries, retry_base) VALUES
    ('t_echo', '', NULL, NULL, '{}', 3, '2 s'),
    ('t_echo_system', 'Speak only of cats, at length.', NULL, NULL, '{}', 3, '2 s'),
    ('t_echo_template', '', 'To {{lang}}: {{text}} {{meta.n}}', NULL, '{}', 3, '2 s'),
    ('t_echo_result', '', NULL, '{"translation": "{{text}}", "by": "{{model}} ({{finish_reason}})", "n": 1}', '{}', 3, '2 s'),
    ('t_echo_json', '', NULL, '{"answer": "{{json}}"}', '{}', 3, '2 s'),
    ('t_echo_refused', '', NULL, NULL, '{"echo_status": 400, "echo_error": "the model does not like this"}', 3, '2 s'),
    ('t_echo_broken', '', NULL, NULL, '{"echo_status": 503, "echo_error": "out of order"}', 1, '10 ms'),
    ('t_echo_lost', '', NULL, NULL, '{}', 3, '2 s');
INSERT INTO agent_routes (agent_type, provider, model)
SELECT name, 'echo', 'echo' FROM agent_types WHERE name LIKE 't\_echo%' AND name <> 't_echo_lost';
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 800001;

-- The standard result.
SELECT enqueue_agent('t_echo', '{"text": "hola"}', user_id => '00000000-0000-0000-0000-0000000000f1') AS id \gset
SELECT wait_agent(:id);
SELECT status, result, error_code, retry_count, cached, provider, model, input_tokens, output_tokens, cost_usd,
       created_at <= started_at AND started_at <= completed_at AS in_order, claim IS NULL AS let_go, hold_usd, wait_reason
FROM agent_queue WHERE id = :id;
SELECT attempt, part, right(u.user_id::text, 2) AS who, u.agent_type, u.provider, u.model, u.tokens_used, u.input_tokens,
       u.cache_read_tokens, u.cache_write_tokens, u.output_tokens, u.reasoning_tokens, u.cost_usd, u.cached, u.estimated,
       u.latency_ms >= 0 AS has_latency, u.created_at = q.started_at AS of_its_start
FROM api_usage AS u JOIN agent_queue AS q ON q.id = u.queue_id WHERE u.queue_id = :id;
SELECT total_tokens, total_cost, total_requests FROM user_costs WHERE user_id = '00000000-0000-0000-0000-0000000000f1';
-- Again: finished jobs answer at once.
SELECT wait_agent(:id, '0') ->> 'text' AS text;

-- prompt instead of text; messages as they are, of which the last of the user's is echoed.
SELECT enqueue_agent('t_echo', '{"prompt": "¿qué tal? 🐈"}') AS id \gset
SELECT wait_agent(:id) ->> 'text' AS text;
SELECT enqueue_agent('t_echo', '{"messages": [
    {"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}, {"role": "user", "content": "three"}]}') AS id \gset
SELECT wait_agent(:id) ->> 'text' AS text;

-- The system prompt is sent: it counts as input.
SELECT enqueue_agent('t_echo_system', '{"text": "hola"}') AS id \gset
SELECT wait_agent(:id) ->> 'text' AS text;
SELECT input_tokens, output_tokens FROM agent_queue WHERE id = :id;

-- Templates, in and out.
SELECT enqueue_agent('t_echo_template', '{"lang": "en", "text": "hola", "meta": {"n": 7}}') AS id \gset
SELECT wait_agent(:id) ->> 'text' AS text;
SELECT enqueue_agent('t_echo_result', '{"text": "say \"hola\""}') AS id \gset
SELECT wait_agent(:id);
SELECT enqueue_agent('t_echo_json', '{"text": "{\"cats\": [1, 2]}"}') AS id \gset
SELECT wait_agent(:id);
-- The provider says no: at once, in its own words, and params reached it.
SELECT enqueue_agent('t_echo_refused', '{"text": "hola"}') AS id \gset
SELECT wait_agent(:id);
\echo :SQLSTATE
SELECT status, error_code, error_message, retry_count, result, completed_at IS NOT NULL AS ended
FROM agent_queue WHERE id = :id;
-- It is broken: tried again, then given up.
SELECT enqueue_agent('t_echo_broken', '{"text": "hola"}') AS id \gset
SELECT wait_agent(:id);
\echo :SQLSTATE
SELECT status, error_code, error_message, retry_count FROM agent_queue WHERE id = :id;
-- Nowhere to go.
SELECT enqueue_agent('t_echo_lost', '{"text": "hola"}') AS id \gset
SELECT wait_agent(:id);
\echo :SQLSTATE
SELECT status, error_code, error_message FROM agent_queue WHERE id = :id;

-- A request that cannot be written for its provider: the request is to blame, not the configuration.
INSERT INTO agent_types (name) VALUES ('t_echo_image');
INSERT INTO agent_providers (name, wire_format, base_url) VALUES ('t_echo_never', 'anthropic', 'http://127.0.0.1:9');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_echo_image', 't_echo_never', 'm');
SELECT enqueue_agent('t_echo_image', '{"messages": [{"role": "user", "content": [
    {"type": "image_url", "image_url": {"url": "ftp://example.org/a.png"}}]}]}') AS id \gset
SELECT wait_agent(:id);
\echo :SQLSTATE
SELECT status, error_code, error_message, retry_count FROM agent_queue WHERE id = :id;

-- A change of the configuration holds for the next job.
UPDATE agent_types SET result_template = '{"said": "{{text}}"}' WHERE name = 't_echo';
SELECT enqueue_agent('t_echo', '{"text": "hola"}') AS id \gset
SELECT wait_agent(:id);

-- Many at once.
CREATE TEMPORARY TABLE enqueued AS
SELECT id FROM enqueue_agents('t_echo', ARRAY(SELECT jsonb_build_object('text', 'n ' || i)
                                              FROM generate_series(1, 1000) AS i)) AS e (id);
SELECT count(*), count(DISTINCT wait_agent(id)) AS answers FROM enqueued;
SELECT q.status, count(*), bool_and(q.result ->> 'said' = q.request_data ->> 'text') AS right_answers
FROM enqueued AS e JOIN agent_queue AS q USING (id) GROUP BY 1;
SELECT count(*) AS usage_rows FROM api_usage AS u JOIN enqueued AS e ON e.id = u.queue_id;

-- A worker is seen.
SELECT count(*) > 0 AS some, bool_and(pid > 0 AND incarnation > 0 AND settled <= claimed + rescued) AS sane,
       sum(claimed) >= 1000 AS claimed_them FROM agent_workers;

DELETE FROM agent_queue WHERE agent_type LIKE 't\_echo%';
DELETE FROM agent_routes WHERE agent_type LIKE 't\_echo%';
DELETE FROM agent_types WHERE name LIKE 't\_echo%';
DELETE FROM agent_providers WHERE name = 't_echo_never';
