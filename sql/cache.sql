-- The response cache of jobs: hits at enqueue and at the claim, what makes two requests the same, who may be answered
-- with what, what is stored, and what is not.
INSERT INTO cache_types (type, ttl) VALUES ('t_kind', '24 hours');
INSERT INTO agent_types (name, cache_type, cache_scope) VALUES
    ('t_cache', 't_kind', 'user'), ('t_cache_shared', 't_kind', 'shared'), ('t_cache_off', 't_kind', 'off');
INSERT INTO agent_types (name) VALUES ('t_cache_none');
INSERT INTO agent_routes (agent_type, provider, model)
SELECT name, 'echo', 'echo' FROM agent_types WHERE name LIKE 't\_cache%';
INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok, valid_from)
VALUES ('echo', 'echo', 1000, 2000, '2026-08-02');
-- Enqueues.
CREATE FUNCTION t_ask(request jsonb, kind text DEFAULT 't_cache', whose uuid DEFAULT NULL, goes_around boolean DEFAULT false)
RETURNS bigint LANGUAGE sql AS $$
    SELECT enqueue_agent(kind, request, user_id => whose, skip_cache => goes_around)
$$;

-- A miss, and a hit: born completed, in the same transaction, for nothing.
SELECT t_ask('{"text": "hola"}') AS first \gset
SELECT wait_agent(:first) ->> 'text' AS said;
SELECT cached, cost_usd > 0 AS has_cost FROM agent_queue WHERE id = :first;
BEGIN;
SELECT t_ask('{"text": "hola"}') AS second \gset
SELECT status, result ->> 'text' AS said, cached, stale, cost_usd, provider, model, completed_at IS NOT NULL AS is_done
FROM agent_queue WHERE id = :second;
SELECT attempt, part, cached, cost_usd, saved_usd = (SELECT cost_usd FROM agent_queue WHERE id = :first) AS saved_all,
       tokens_used, estimated
FROM api_usage WHERE queue_id = :second;
COMMIT;
-- What nothing in the prompt depends on makes no difference: the order of members, unknown members, spelling of numbers.
SELECT t_ask('{"later": 1.0, "text": "hola"}') AS third \gset
SELECT cached FROM agent_queue WHERE id = :third;
-- Unicode: composed and decomposed.
SELECT t_ask(jsonb_build_object('text', U&'caf\00e9')) AS composed \gset
SELECT wait_agent(:composed) IS NOT NULL AS is_answered;
SELECT t_ask(jsonb_build_object('text', U&'cafe\0301')) AS decomposed \gset
SELECT cached FROM agent_queue WHERE id = :decomposed;
-- Another text is another request.
SELECT t_ask('{"text": "Hola"}') AS other \gset
SELECT wait_agent(:other) ->> 'text' AS said;
SELECT cached FROM agent_queue WHERE id = :other;

-- Around it: neither looked up nor stored.
SELECT t_ask('{"text": "hola"}', goes_around => true) AS around \gset
SELECT wait_agent(:around) ->> 'text' AS said;
SELECT cached, cache_key IS NULL AS has_no_key FROM agent_queue WHERE id = :around;

-- Scope: a user's answers are that user's; shared ones everybody's; off is off; no cache_type is no cache.
SELECT t_ask('{"text": "hola"}', whose => '00000000-0000-0000-0000-00000000ca01') AS users \gset
SELECT wait_agent(:users) ->> 'text' AS said;
SELECT cached FROM agent_queue WHERE id = :users;
SELECT t_ask('{"text": "hola"}', whose => '00000000-0000-0000-0000-00000000ca01') AS again \gset
SELECT cached FROM agent_queue WHERE id = :again;
SELECT t_ask('{"text": "all"}', 't_cache_shared', '00000000-0000-0000-0000-00000000ca01') AS shared \gset
SELECT wait_agent(:shared) IS NOT NULL AS is_answered;
SELECT t_ask('{"text": "all"}', 't_cache_shared', '00000000-0000-0000-0000-00000000ca02') AS by_another \gset
SELECT cached FROM agent_queue WHERE id = :by_another;
SELECT t_ask('{"text": "off"}', 't_cache_off') AS off \gset
SELECT wait_agent(:off) IS NOT NULL AS is_answered;
SELECT t_ask('{"text": "off"}', 't_cache_off') AS off_again \gset
SELECT cached, cache_key IS NULL AS has_no_key FROM agent_queue WHERE id = :off_again;
SELECT wait_agent(:off_again) IS NOT NULL AS is_answered;
SELECT user_id IS NULL AS is_everybodys, type, agent_type, category, dependencies, provider, model, input_tokens > 0 AS has_tokens,
       expires_at - created_at AS ttl, kept_until = expires_at AS ends_at_once, request
FROM cache_store WHERE agent_type = 't_cache_shared';

-- A plain INSERT is completed by a worker: its client waits for an UPDATE.
INSERT INTO agent_queue (agent_type, request_data) VALUES ('t_cache', '{"text": "hola"}')
RETURNING id AS plain, status, cached \gset
SELECT :'status' AS status, :'cached' AS cached;
SELECT wait_agent(:plain) ->> 'text' AS said;
SELECT cached, stale, cost_usd FROM agent_queue WHERE id = :plain;
SELECT cached, cost_usd, attempt FROM api_usage WHERE queue_id = :plain;

-- Many at once: those that are known are born completed, each with its usage; a key that comes again is the same job.
SELECT array_agg(id) AS bulk FROM enqueue_agents('t_cache',
    ARRAY['{"text": "new one"}', '{"text": "hola"}', '{"text": "Hola"}']::jsonb[], idempotency_key => 'cache bulk') AS id \gset
SELECT q.status = 'completed' AND q.cached AS is_hit, u.saved_usd > 0 AS has_saved
FROM agent_queue AS q LEFT JOIN api_usage AS u ON u.queue_id = q.id AND u.cached
WHERE q.id = ANY (:'bulk'::bigint[]) AND q.request_data ->> 'text' <> 'new one' ORDER BY q.id;
SELECT array_agg(id) = :'bulk'::bigint[] AS are_the_same FROM enqueue_agents('t_cache',
    ARRAY['{"text": "new one"}', '{"text": "hola"}', '{"text": "Hola"}']::jsonb[], idempotency_key => 'cache bulk') AS id;
SELECT count(*) AS usage_rows FROM api_usage WHERE queue_id = ANY ((:'bulk'::bigint[])[2:3]);
SELECT wait_agent((:'bulk'::bigint[])[1]) ->> 'text' AS said;

-- Rolled back: neither job nor usage.
SELECT count(*) AS usage_before FROM api_usage WHERE agent_type = 't_cache' \gset
BEGIN;
SELECT count(t_ask('{"text": "hola"}')) AS hits;
ROLLBACK;
SELECT count(*) = :usage_before AS is_as_before FROM api_usage WHERE agent_type = 't_cache';

-- Later is later: a job that is delayed looks when it is claimed.
SELECT enqueue_agent('t_cache', '{"text": "hola"}', delay => '1 hour') AS delayed \gset
SELECT status, wait_reason, cached FROM agent_queue WHERE id = :delayed;
DELETE FROM agent_queue WHERE id = :delayed;

-- Another definition is another answer; what was stored by the old one is found again when that comes back.
UPDATE agent_types SET system_prompt = 'Be brief.' WHERE name = 't_cache';
SELECT t_ask('{"text": "hola"}') AS redefined \gset
SELECT wait_agent(:redefined) IS NOT NULL AS is_answered;
SELECT cached FROM agent_queue WHERE id = :redefined;
UPDATE agent_types SET system_prompt = '' WHERE name = 't_cache';
SELECT t_ask('{"text": "hola"}') AS back \gset
SELECT cached FROM agent_queue WHERE id = :back;
-- What does not change an answer does not change the key.
UPDATE agent_types SET priority = 3, max_retries = 1, request_timeout = '1 min' WHERE name = 't_cache';
SELECT t_ask('{"text": "hola"}') AS same \gset
SELECT cached FROM agent_queue WHERE id = :same;

-- Time to live.
UPDATE cache_types SET ttl = '1 ms' WHERE type = 't_kind';
SELECT t_ask('{"text": "short"}') AS short \gset
SELECT wait_agent(:short) IS NOT NULL AS is_answered;
SELECT pg_sleep(0.005);
SELECT t_ask('{"text": "short"}') AS short_again \gset
SELECT wait_agent(:short_again) IS NOT NULL AS is_answered;
SELECT cached FROM agent_queue WHERE id = :short_again;
-- While a new answer is asked for, the old one may be used, and says so.
UPDATE agent_types SET stale_while_revalidate = '1 hour' WHERE name = 't_cache';
SELECT pg_sleep(0.005);
SELECT t_ask('{"text": "short"}') AS revalidated \gset
SELECT status, cached, stale FROM agent_queue WHERE id = :revalidated;
UPDATE agent_types SET stale_while_revalidate = NULL WHERE name = 't_cache';
UPDATE cache_types SET ttl = '24 hours' WHERE type = 't_kind';

-- Dependencies: a change in the user's transaction, and the answer is not found any more.
UPDATE agent_types SET cache_depends_on = ARRAY['documents:{{doc}}'] WHERE name = 't_cache';
SELECT t_ask('{"text": "read", "doc": 7}') AS read_7 \gset
SELECT wait_agent(:read_7) IS NOT NULL AS is_answered;
SELECT t_ask('{"text": "read", "doc": 8}') AS read_8 \gset
SELECT wait_agent(:read_8) IS NOT NULL AS is_answered;
SELECT dependencies FROM cache_store WHERE dependencies IS NOT NULL ORDER BY dependencies;
BEGIN;
SELECT cache_invalidate_dependency('documents:7') AS dropped;
SELECT t_ask('{"text": "read", "doc": 7}') AS inside \gset
SELECT status FROM agent_queue WHERE id = :inside;
ROLLBACK;
SELECT t_ask('{"text": "read", "doc": 7}') AS as_before \gset
SELECT cached FROM agent_queue WHERE id = :as_before;
SELECT cache_invalidate_dependency('documents:7') AS dropped;
SELECT t_ask('{"text": "read", "doc": 7}') AS changed \gset
SELECT wait_agent(:changed) IS NOT NULL AS is_answered;
SELECT cached FROM agent_queue WHERE id = :changed;
SELECT t_ask('{"text": "read", "doc": 8}') AS not_changed \gset
SELECT cached FROM agent_queue WHERE id = :not_changed;
-- A request without what the answer depends on has no cache.
SELECT t_ask('{"text": "read"}') AS without \gset
SELECT wait_agent(:without) IS NOT NULL AS is_answered;
SELECT cache_key IS NULL AS has_no_key FROM agent_queue WHERE id = :without;

-- A role of the web: its hits are its own, and the table is closed.
CREATE ROLE regress_cache_web;
SELECT grant_agent_access('regress_cache_web');
SET ROLE regress_cache_web;
SET agent_queue.user_id = '00000000-0000-0000-0000-00000000ca01';
SELECT enqueue_agent('t_cache_shared', '{"text": "all"}') AS web \gset
SELECT status, cached FROM agent_queue WHERE id = :web;
SELECT count(*) FROM cache_store;
RESET ROLE;
RESET agent_queue.user_id;
SELECT revoke_agent_access('regress_cache_web');
DROP ROLE regress_cache_web;

-- What it saved, by user and by job.
SELECT cached_requests > 0 AS has_hits, saved_cost > 0 AS has_saved FROM user_costs
WHERE user_id = '00000000-0000-0000-0000-00000000ca01';

DROP FUNCTION t_ask(jsonb, text, uuid, boolean);
DELETE FROM agent_queue WHERE agent_type LIKE 't\_cache%';
DELETE FROM cache_store WHERE agent_type LIKE 't\_cache%';
DELETE FROM cache_versions;
DELETE FROM cache_types WHERE type = 't_kind';
DELETE FROM agent_routes WHERE agent_type LIKE 't\_cache%';
DELETE FROM agent_types WHERE name LIKE 't\_cache%';
DELETE FROM agent_models WHERE provider = 'echo' AND model = 'echo' AND input_usd_per_mtok = 1000;
