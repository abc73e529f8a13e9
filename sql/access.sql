-- grant_agent_access() and revoke_agent_access(), and what row-level security then lets a role see. Jobs are delayed by
-- an hour, so that no worker touches them. The CONTEXT of errors is left out.
\set SHOW_CONTEXT never
INSERT INTO agent_types (name) VALUES ('t_access');
CREATE ROLE regress_agent_app;
CREATE ROLE regress_agent_other;
\set a '00000000-0000-0000-0000-00000000aca1'
\set b '00000000-0000-0000-0000-00000000acb1'

-- The privileges of a role, on whatever belongs to the extension.
CREATE VIEW pg_temp.granted AS
SELECT c.oid::regclass::text AS object, a.privilege_type AS privilege, NULL AS columns, a.grantee::regrole::text AS role
FROM pg_class AS c, aclexplode(c.relacl) AS a
UNION ALL
SELECT t.attrelid::regclass::text, a.privilege_type, string_agg(t.attname, ', ' ORDER BY t.attnum), a.grantee::regrole::text
FROM pg_attribute AS t, aclexplode(t.attacl) AS a
GROUP BY t.attrelid, a.privilege_type, a.grantee
UNION ALL
SELECT p.oid::regproc::text, a.privilege_type, NULL, a.grantee::regrole::text
FROM pg_proc AS p, aclexplode(p.proacl) AS a
UNION ALL
SELECT n.nspname, a.privilege_type, NULL, a.grantee::regrole::text
FROM pg_namespace AS n, aclexplode(n.nspacl) AS a;

CREATE FUNCTION explained(query text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
    RETURN plan;
END
$$;

-- What it gives; twice is once.
SELECT grant_agent_access('regress_agent_app');
SELECT grant_agent_access('regress_agent_app');
SELECT object, privilege, columns FROM pg_temp.granted WHERE role = 'regress_agent_app'
ORDER BY object COLLATE "C", privilege;

-- Only the owner gives: a role with access does not, also not if it may call the function.
GRANT EXECUTE ON FUNCTION grant_agent_access(regrole), revoke_agent_access(regrole), agent_queue_need_owner()
    TO regress_agent_app;
SET ROLE regress_agent_app;
SELECT grant_agent_access('regress_agent_other');
\echo :SQLSTATE
SELECT revoke_agent_access('regress_agent_app');
\echo :SQLSTATE
RESET ROLE;
REVOKE EXECUTE ON FUNCTION grant_agent_access(regrole), revoke_agent_access(regrole), agent_queue_need_owner()
    FROM regress_agent_app;
SELECT grant_agent_access(NULL);
SELECT grant_agent_access('regress_agent_nobody');

-- A's jobs and B's, and one of the system.
SELECT enqueue_agent('t_access', '{"text": "of the system"}', delay => '1 hour') AS system_job \gset
SELECT enqueue_agent('t_access', '{"text": "of B"}', user_id => :'b', delay => '1 hour', idempotency_key => 'one') AS b_job \gset
INSERT INTO api_usage (queue_id, attempt, user_id, cost_usd, tokens_used, created_at)
VALUES (1, 1, :'a', 1, 10, '2020-01-01'), (2, 1, :'b', 2, 20, '2020-01-01'), (3, 1, NULL, 4, 40, '2020-01-01');

SET ROLE regress_agent_app;
SET request.jwt.claims = '{"sub": "00000000-0000-0000-0000-00000000aca1", "role": "authenticated"}';
-- As PostgREST inserts: RETURNING all columns, inside a CTE.
WITH pgrst_source AS (
    INSERT INTO agent_queue (agent_type, request_data, run_at)
    SELECT agent_type, request_data, run_at
    FROM json_to_record('{"agent_type": "t_access", "request_data": {"text": "of A"}, "run_at": "2100-01-01"}')
         AS _ (agent_type text, request_data jsonb, run_at timestamptz)
    RETURNING agent_queue.*
)
SELECT user_id, agent_type, status, request_data FROM pgrst_source;
-- The same key of A's is another job than B's, and again the same job.
SELECT enqueue_agent('t_access', '{"text": "of A, with a key"}', delay => '1 hour', idempotency_key => 'one') AS a_job \gset
SELECT enqueue_agent('t_access', '{"text": "of A, with a key"}', delay => '1 hour', idempotency_key => 'one') = :a_job AS same;
\set VERBOSITY sqlstate
SELECT enqueue_agent('t_access', '{"text": "another"}', delay => '1 hour', idempotency_key => 'one') = :a_job AS same;
\set VERBOSITY default
SELECT count(*) FROM enqueue_agents('t_access', ARRAY['{"text": "1"}', '{"text": "2"}']::jsonb[], delay => '1 hour',
                                    idempotency_key => 'many');
SELECT count(*) FROM enqueue_agents('t_access', ARRAY['{"text": "1"}', '{"text": "2"}']::jsonb[], delay => '1 hour',
                                    idempotency_key => 'many');
-- A key that is taken says no more than that.
INSERT INTO agent_queue (agent_type, request_data, run_at, idempotency_key) VALUES ('t_access', '{"text": "x"}', '2100-01-01', 'one');
\echo :SQLSTATE
-- A sees its own, and nobody else's by id.
SELECT user_id, request_data FROM agent_queue ORDER BY id;
SELECT count(*) FROM agent_queue WHERE id IN (:b_job, :system_job);
\set VERBOSITY sqlstate
SELECT wait_agent(:b_job, '0');
SELECT wait_agent(:a_job, '0');
\set VERBOSITY default
SELECT user_id, tokens_used FROM api_usage;
SELECT user_id, total_tokens, total_cost FROM user_costs;
-- It changes nothing, and sees nothing of the configuration.
UPDATE agent_queue SET priority = 1;
DELETE FROM agent_queue;
TRUNCATE agent_queue;
INSERT INTO agent_queue (agent_type, request_data, max_retries) VALUES ('t_access', '{"text": "x"}', 100);
SELECT count(*) FROM agent_providers;
SELECT count(*) FROM api_usage_default;
SELECT count(*) FROM queue_stats;
-- One job is an index look-up, and the identity is asked once.
SELECT plan #>> '{0,Plan,Node Type}' AS node, plan #>> '{0,Plan,Index Name}' AS index,
       plan #>> '{0,Plan,Index Cond}' AS condition, plan #>> '{0,Plan,Plans,0,Parent Relationship}' AS identity
FROM explained('SELECT * FROM agent_queue WHERE id = 1') AS plan;
-- Claims that change within one session change what is seen, also in a prepared statement.
PREPARE jobs AS SELECT count(*) FROM agent_queue;
EXECUTE jobs;
SET request.jwt.claims = '{"sub": "00000000-0000-0000-0000-00000000acb1"}';
EXECUTE jobs;
RESET request.jwt.claims;
EXECUTE jobs;
RESET ROLE;
SELECT count(*) = 6 AS owner_sees_all FROM agent_queue WHERE agent_type = 't_access';

-- A migration that grants everything in the schema opens no table that has no policy.
GRANT ALL ON ALL TABLES IN SCHEMA public TO regress_agent_other;
SET ROLE regress_agent_other;
SELECT count(*) FROM agent_providers;
UPDATE agent_providers SET base_url = 'http://192.0.2.1/v1';
INSERT INTO agent_providers (name) VALUES ('planted');
REINDEX TABLE agent_providers;
RESET ROLE;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM regress_agent_other;

-- What was given is taken: no right is left.
SELECT revoke_agent_access('regress_agent_app');
SELECT revoke_agent_access('regress_agent_app');
SELECT object, privilege, columns FROM pg_temp.granted WHERE role LIKE 'regress_agent%' AND object <> 'granted';

-- Supabase Realtime: as soon as its publication is made, by whoever owns the jobs; others are not disturbed.
CREATE PUBLICATION some_other;
SELECT count(*) FROM pg_publication_tables WHERE tablename = 'agent_queue';
CREATE PUBLICATION supabase_realtime;
SELECT pubname FROM pg_publication_tables WHERE tablename = 'agent_queue';
SELECT agent_queue_join_realtime();
SELECT pubname FROM pg_publication_tables WHERE tablename = 'agent_queue';
DROP PUBLICATION supabase_realtime, some_other;
CREATE PUBLICATION supabase_realtime FOR ALL TABLES;
SELECT puballtables, (SELECT count(*) FROM pg_publication_rel AS r WHERE r.prpubid = p.oid) AS members
FROM pg_publication AS p WHERE pubname = 'supabase_realtime';
DROP PUBLICATION supabase_realtime;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_agent_other', current_database()) \gexec
SET ROLE regress_agent_other;
CREATE PUBLICATION supabase_realtime;
RESET ROLE;
SELECT count(*) FROM pg_publication_tables WHERE pubname = 'supabase_realtime';
DROP PUBLICATION supabase_realtime;
SELECT format('REVOKE CREATE ON DATABASE %I FROM regress_agent_other', current_database()) \gexec

DROP FUNCTION explained(text);
DELETE FROM api_usage WHERE created_at = '2020-01-01';
DELETE FROM agent_queue WHERE agent_type = 't_access';
DELETE FROM agent_types WHERE name = 't_access';
DROP ROLE regress_agent_app, regress_agent_other;
