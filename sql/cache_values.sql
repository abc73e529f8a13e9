-- The application's own values: get, set, ttl, dependencies, categories, invalidation, and whose they are.
\set SHOW_CONTEXT never
CREATE ROLE regress_agent_cache_client;
CREATE ROLE regress_agent_cache_service BYPASSRLS;
SELECT grant_agent_access('regress_agent_cache_client');
SELECT grant_agent_access('regress_agent_cache_service');
DELETE FROM cache_store;

-- A miss, a set, a hit; spelling does not matter, the type does.
SELECT cache_get('t_plain', '{"a": 1, "b": [1, 2]}') IS NULL AS miss;
SELECT cache_set('t_plain', '{"a": 1, "b": [1, 2]}', '{"answer": 42}');
SELECT cache_get('t_plain', '{"b": [1, 2],   "a": 1}');
SELECT cache_get('t_other', '{"a": 1, "b": [1, 2]}') IS NULL AS miss;
-- In place of the old one.
SELECT cache_set('t_plain', '{"a": 1, "b": [1, 2]}', '"new"', category => 'c');
SELECT cache_get('t_plain', '{"a": 1, "b": [1, 2]}'), count(*), max(category) AS category
FROM cache_store WHERE type = 't_plain';
-- A JSON null is a value, NULL is a miss.
SELECT cache_set('t_plain', '"null"', 'null');
SELECT cache_get('t_plain', '"null"');
-- A value that is kept out of line comes back whole.
SELECT cache_set('t_plain', '"long"', to_jsonb(string_agg(md5(n::text), ''))) FROM generate_series(1, 20000) AS n;
SELECT md5(cache_get('t_plain', '"long"') #>> '{}')
       = (SELECT md5(string_agg(md5(n::text), '')) FROM generate_series(1, 20000) AS n) AS is_whole;
SELECT key ~ '^t_plain:[0-9a-f]{64}$' AS has_key, bytes BETWEEN 200 AND 700000 AS has_bytes, user_id, versions
FROM cache_store WHERE type = 't_plain' ORDER BY bytes LIMIT 1;

-- The time to live: given, the type's, one hour.
INSERT INTO cache_types (type, ttl) VALUES ('t_ttl', '2 days');
SELECT cache_set('t_ttl', '1', '1'), cache_set('t_ttl', '2', '2', ttl => '3 seconds'), cache_set('t_nottl', '3', '3');
SELECT value, expires_at - created_at AS ttl, kept_until = expires_at AS is_cleaned_then
FROM cache_store WHERE type IN ('t_ttl', 't_nottl') ORDER BY value::text;
-- What is stale is not found, and cleaned away by who asks for it; the rest stays.
UPDATE cache_store SET expires_at = now(), kept_until = now() + interval '1 hour' WHERE type = 't_nottl';
SELECT cache_get('t_nottl', '3') IS NULL AS stale;
SELECT clean_expired_cache();
INSERT INTO cache_store (key, type, value, created_at, expires_at, kept_until, bytes)
SELECT 't_old:' || n, 't_old', '1', now(), now(), now(), 1 FROM generate_series(1, 2500) AS n;
SELECT clean_expired_cache();
SELECT type, count(*) FROM cache_store GROUP BY type ORDER BY type;

-- Refused.
\set VERBOSITY default
SELECT cache_set('t_plain', '1', '1', ttl => '0');
SELECT cache_set('t_plain', '1', '1', ttl => '-1 second');
SELECT cache_set('t_plain', '1', '1', ttl => '11 years');
SELECT cache_set('t_plain', '1', NULL);
SELECT cache_set('t_plain', NULL, '1');
SELECT cache_set(NULL, '1', '1');
SELECT cache_get('', '1');
SELECT cache_get('a:b', '1');
SELECT cache_get(repeat('x', 201), '1');
SELECT cache_set('t_plain', '1', '1', category => '');
SELECT cache_set('t_plain', '1', '1', dependencies => ARRAY['a', NULL]);
SELECT cache_set('t_plain', '1', '1', dependencies => ARRAY[['a'], ['b']]);
SELECT cache_set('t_plain', '1', '1', dependencies => ARRAY[repeat('x', 201)]);
SELECT cache_set('t_plain', '1', '1', dependencies => array_agg('d' || n)) FROM generate_series(1, 101) AS n;
SET agent_queue.cache_max_value_size = '1kB';
SELECT cache_set('t_plain', '1', to_jsonb(repeat('x', 1100)));
RESET agent_queue.cache_max_value_size;
SELECT cache_get_or_lock('t_plain', '1', NULL);
SELECT cache_get_or_lock('t_plain', '1', '-1 s');
SELECT cache_invalidate('t_plain');
SELECT cache_invalidate('t_plain:123');
SELECT cache_invalidate(':*');
SELECT cache_invalidate_category(NULL);

-- Dependencies: a value is found while their versions are those that it was made with.
SELECT cache_set('t_dep', '1', '1', dependencies => '{documents:1,prices}');
SELECT cache_set('t_dep', '2', '2', dependencies => '{documents:2,documents:1}');
SELECT cache_set('t_dep', '3', '3', dependencies => '{}');
SELECT value, dependencies, versions FROM cache_store WHERE type = 't_dep' ORDER BY value::text;
SELECT cache_get('t_dep', '1'), cache_get('t_dep', '2'), cache_get('t_dep', '3');
SELECT cache_invalidate_dependency('documents:2');
SELECT cache_get('t_dep', '1'), cache_get('t_dep', '2'), cache_get('t_dep', '3');
-- A group is all of it.
SELECT cache_set('t_dep', '2', '2', dependencies => '{documents:2}');
SELECT versions, cache_get('t_dep', '2') FROM cache_store WHERE type = 't_dep' AND value = '2';
SELECT cache_invalidate_dependency('documents:*');
SELECT cache_get('t_dep', '1'), cache_get('t_dep', '2'), cache_get('t_dep', '3');
SELECT * FROM cache_versions ORDER BY dependency;
-- A version alone is enough; and what is rolled back has changed nothing.
SELECT cache_set('t_dep', '4', '4', dependencies => '{prices}');
BEGIN;
UPDATE cache_versions SET version = version + 1 WHERE dependency = 'documents:*';
INSERT INTO cache_versions VALUES ('prices', 1);
SELECT cache_get('t_dep', '4');
ROLLBACK;
SELECT cache_get('t_dep', '4');

-- By category, type, key, and all.
SELECT cache_set('t_cat', to_jsonb(n), '1', category => CASE WHEN n < 3 THEN 'low' ELSE 'high' END)
FROM generate_series(1, 5) AS n;
SELECT cache_invalidate_category('low'), cache_invalidate_category('none');
SELECT cache_set('t_cat2', '1', '1');
SELECT cache_invalidate(key) FROM cache_store WHERE type = 't_cat' ORDER BY key LIMIT 1;
SELECT cache_invalidate('t_cat:*');
SELECT cache_get('t_cat2', '1');
SELECT cache_invalidate('*') > 0 AS dropped, (SELECT count(*) FROM cache_store) AS left_over;
SELECT count(*) FROM cache_store;

-- The lock: who misses has it, who hits has not, and the value is the next one's.
BEGIN;
SELECT * FROM cache_get_or_lock('t_lock', '1');
SELECT * FROM cache_get_or_lock('t_lock', '1');
SELECT count(*), max(mode) AS mode FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 16721;
SELECT cache_set('t_lock', '1', '"computed"', dependencies => '{prices}');
SELECT * FROM cache_get_or_lock('t_lock', '1');
COMMIT;
SELECT * FROM cache_get_or_lock('t_lock', '1');
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 16721;
-- What has changed since the lock was taken is not hidden by what was computed meanwhile.
BEGIN;
SELECT locked FROM cache_get_or_lock('t_lock', '2');
SELECT cache_invalidate_dependency('prices');
SELECT cache_set('t_lock', '2', '"old"', dependencies => '{prices}');
COMMIT;
SELECT cache_get('t_lock', '2') IS NULL AS miss;
-- A savepoint takes the lock back, and with it what was noted.
BEGIN;
SAVEPOINT s;
SELECT locked FROM cache_get_or_lock('t_lock', '3');
ROLLBACK TO s;
SELECT cache_invalidate_dependency('prices');
SELECT cache_set('t_lock', '3', '"new"', dependencies => '{prices}');
COMMIT;
SELECT cache_get('t_lock', '3');
-- One that is released leaves both.
BEGIN;
SAVEPOINT s;
SELECT locked FROM cache_get_or_lock('t_lock', '4');
RELEASE s;
SELECT cache_invalidate_dependency('prices');
SELECT cache_set('t_lock', '4', '"old"', dependencies => '{prices}');
COMMIT;
SELECT cache_get('t_lock', '4') IS NULL AS miss;

-- Whose: one's own under the identity, nobody else's, and the system's only for who may act for others.
SET ROLE regress_agent_cache_client;
SELECT cache_get('t_who', '1');
\echo :SQLSTATE
SELECT cache_set('t_who', '1', '1');
\echo :SQLSTATE
SET agent_queue.user_id = '00000000-0000-0000-0000-0000000000a1';
SELECT cache_set('t_who', '1', '"of a1"');
SELECT cache_get('t_who', '1'), cache_get('t_who', '1', '00000000-0000-0000-0000-0000000000a1');
SELECT cache_get('t_who', '1', '00000000-0000-0000-0000-0000000000a2');
\echo :SQLSTATE
SELECT cache_set('t_who', '1', '1', user_id => '00000000-0000-0000-0000-0000000000a2');
\echo :SQLSTATE
SELECT cache_get_or_lock('t_who', '1', user_id => '00000000-0000-0000-0000-0000000000a2');
\echo :SQLSTATE
SELECT count(*) FROM cache_store;
\echo :SQLSTATE
SELECT cache_invalidate('*');
\echo :SQLSTATE
SET agent_queue.user_id = '00000000-0000-0000-0000-0000000000a2';
SELECT cache_get('t_who', '1') IS NULL AS miss;
SET ROLE regress_agent_cache_service;
SELECT cache_get('t_who', '1', '00000000-0000-0000-0000-0000000000a1');
RESET agent_queue.user_id;
SELECT cache_get('t_who', '1') IS NULL AS miss;
SELECT cache_set('t_who', '1', '"of the system"');
SELECT cache_get('t_who', '1');
RESET ROLE;
SELECT user_id, value FROM cache_store WHERE type = 't_who' ORDER BY user_id;
-- The right to invalidate is given by itself.
GRANT EXECUTE ON FUNCTION cache_invalidate(text) TO regress_agent_cache_client;
SET ROLE regress_agent_cache_client;
SELECT cache_invalidate('t_who:*');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION cache_invalidate(text) FROM regress_agent_cache_client;

-- It reads where nothing may be written.
SELECT cache_set('t_ro', '1', '1');
BEGIN READ ONLY;
SELECT cache_get('t_ro', '1');
SELECT cache_set('t_ro', '1', '2');
ROLLBACK;

DELETE FROM cache_store;
DELETE FROM cache_versions;
DELETE FROM cache_types WHERE type = 't_ttl';
SELECT revoke_agent_access('regress_agent_cache_client');
SELECT revoke_agent_access('regress_agent_cache_service');
REVOKE USAGE ON SCHEMA public FROM regress_agent_cache_client, regress_agent_cache_service;
DROP ROLE regress_agent_cache_client, regress_agent_cache_service;
