-- Who may do what: every table, view, sequence and function of the extension, for each kind of role, as the catalog says
-- and as trying shows. In a database of its own that looks like a Supabase: web roles to which default privileges give
-- everything that is new, a publication for Realtime, and an owner who is no superuser.
CREATE ROLE anon;
CREATE ROLE authenticated;
CREATE ROLE service_role BYPASSRLS;
CREATE ROLE regress_agent_owner SUPERUSER;
CREATE DATABASE regress_agent_matrix;
\set main :DBNAME
\c regress_agent_matrix
SET client_min_messages = warning;
GRANT CREATE ON SCHEMA public TO regress_agent_owner;
CREATE PUBLICATION supabase_realtime;
ALTER PUBLICATION supabase_realtime OWNER TO regress_agent_owner;
SET ROLE regress_agent_owner;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
CREATE EXTENSION agent_queue;
RESET ROLE;
ALTER ROLE regress_agent_owner NOSUPERUSER;

INSERT INTO agent_types (name) VALUES ('echo');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('echo', 'echo', 'echo');
-- A job of A, one of B and one of the system, and their usage in the partition of the month.
SELECT enqueue_agent('echo', '{"text": "of A"}', user_id => '00000000-0000-0000-0000-00000000000a') AS a_job \gset
SELECT enqueue_agent('echo', '{"text": "of B"}', user_id => '00000000-0000-0000-0000-00000000000b') AS b_job \gset
SELECT enqueue_agent('echo', '{"text": "of the system"}') AS system_job \gset
SELECT wait_agent(:a_job) IS NOT NULL AND wait_agent(:b_job) IS NOT NULL AND wait_agent(:system_job) IS NOT NULL AS done;
SELECT pubname FROM pg_publication_tables;
-- Whether the worker has folded their usage yet is not to be seen below.
INSERT INTO api_usage_folded VALUES (0) ON CONFLICT DO NOTHING;
INSERT INTO api_usage_rollup
SELECT '2020-01-01', user_id, 'other', 'echo', 'echo', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0 FROM agent_queue;

-- The rest is the test's own, in a schema that nobody else sees.
CREATE SCHEMA matrix;
CREATE TABLE matrix.callers (position int, name text, role text, user_id text);
INSERT INTO matrix.callers VALUES
    (1, 'anon', 'anon', NULL),
    (2, 'A', 'authenticated', '00000000-0000-0000-0000-00000000000a'),
    (3, 'B', 'authenticated', '00000000-0000-0000-0000-00000000000b'),
    (4, 'service', 'service_role', NULL),
    (5, 'owner', 'regress_agent_owner', NULL),
    (6, 'super', session_user, NULL);

-- A NULL that the planner does not see: it would leave out the call of a STRICT function. CALL takes no sub-select.
CREATE VIEW matrix.objects AS
SELECT c.oid, c.relkind::text AS kind, c.oid::regclass::text AS name, NULL::text AS call
FROM pg_class AS c
WHERE c.relkind IN ('r', 'p', 'v', 'S') AND c.relnamespace = 'public'::regnamespace
  -- Upkeep makes the partition of the next month as well, some time.
  AND (c.relname !~ '^api_usage_[0-9]{6}$' OR c.relname = to_char(now() AT TIME ZONE 'UTC', '"api_usage_"YYYYMM'))
UNION ALL
SELECT p.oid, 'routine', p.oid::regproc::text,
       CASE p.prokind WHEN 'p' THEN 'CALL ' ELSE 'SELECT count(*) FROM ' END || p.oid::regproc::text || '(' || (
           SELECT coalesce(string_agg(CASE p.prokind WHEN 'p' THEN 'NULL::' || format_type(t.type, NULL)
                                      ELSE '(SELECT NULL::' || format_type(t.type, NULL) || ')' END, ', ' ORDER BY t.n), '')
           FROM unnest(p.proargtypes) WITH ORDINALITY AS t (type, n)) || ')'
FROM pg_proc AS p
WHERE p.pronamespace = 'public'::regnamespace
  AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype);

-- What the statement comes to, run as the caller and taken back: denied, or the text of its first column.
CREATE FUNCTION matrix.try(caller matrix.callers, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM set_config('request.jwt.claims', json_build_object('sub', caller.user_id, 'role', caller.role)::text, true);
    PERFORM set_config('role', caller.role, true);
    EXECUTE statement INTO answer;
    RAISE EXCEPTION USING ERRCODE = 'XXTRY', MESSAGE = coalesce(answer, '');
EXCEPTION
    WHEN SQLSTATE 'XXTRY' THEN RETURN SQLERRM;
    WHEN insufficient_privilege THEN RETURN 'denied';
    WHEN OTHERS THEN RETURN 'refused';
END
$$;

-- Whose rows: A, B and S (the system's) where rows have a user, else whether there are any.
CREATE FUNCTION matrix.rows_of(relation oid, name text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = relation AND attname = 'user_id')
                THEN format($q$SELECT coalesce(string_agg(DISTINCT coalesce(upper(right(user_id::text, 1)), 'S'), ''), 'none')
                               FROM %s$q$, name)
                ELSE format('SELECT CASE count(*) WHEN 0 THEN ''none'' ELSE ''all'' END FROM %s', name) END
$$;

CREATE TABLE matrix.results AS
SELECT o.kind, regexp_replace(o.name, '_[0-9]{6}$', '_YYYYMM') AS object, c.position, c.name AS caller, p.privilege, p.says,
       matrix.try(c, p.statement) AS tried
FROM matrix.callers AS c, matrix.objects AS o,
LATERAL (
    SELECT 'select', has_table_privilege(c.role, o.oid, 'SELECT'), matrix.rows_of(o.oid, o.name)
    WHERE o.kind IN ('r', 'p', 'v')
    UNION ALL
    SELECT 'insert', has_any_column_privilege(c.role, o.oid, 'INSERT'),
           CASE o.name WHEN 'agent_queue'
               THEN $q$INSERT INTO agent_queue (agent_type, request_data) VALUES ('echo', '{"text": "x"}')
                       RETURNING coalesce(upper(right(user_id::text, 1)), 'S')$q$
               ELSE format('INSERT INTO %s DEFAULT VALUES', o.name) END
    WHERE o.kind IN ('r', 'p')
    UNION ALL
    SELECT 'update', has_any_column_privilege(c.role, o.oid, 'UPDATE'),
           format('UPDATE %s SET %I = DEFAULT WHERE false', o.name,
                  (SELECT attname FROM pg_attribute WHERE attrelid = o.oid AND attnum = 1))
    WHERE o.kind IN ('r', 'p')
    UNION ALL
    SELECT 'delete', has_table_privilege(c.role, o.oid, 'DELETE'), format('DELETE FROM %s WHERE false', o.name)
    WHERE o.kind IN ('r', 'p')
    UNION ALL
    SELECT 'truncate', has_table_privilege(c.role, o.oid, 'TRUNCATE'), format('TRUNCATE %s', o.name)
    WHERE o.kind IN ('r', 'p')
    UNION ALL
    SELECT 'usage', has_sequence_privilege(c.role, o.oid, 'USAGE'), format('SELECT nextval(%L) > 0', o.name)
    WHERE o.kind = 'S'
    UNION ALL
    SELECT 'execute', has_function_privilege(c.role, o.oid, 'EXECUTE'), o.call
    WHERE o.call IS NOT NULL
) AS p (privilege, says, statement);

-- The catalog and trying agree: none that differ.
SELECT object, caller, privilege, says, tried FROM matrix.results WHERE says = (tried = 'denied') ORDER BY object, position;

-- The matrix. Whose rows are seen or made: A, B, S (the system's), all, none; -: denied.
CREATE FUNCTION matrix.cell(tried text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE tried WHEN 'denied' THEN '-' WHEN '' THEN 'yes' WHEN 'refused' THEN 'yes' ELSE tried END
$$;
SELECT object COLLATE "C", privilege,
       max(matrix.cell(tried)) FILTER (WHERE caller = 'anon') AS anon,
       max(matrix.cell(tried)) FILTER (WHERE caller = 'A') AS "A",
       max(matrix.cell(tried)) FILTER (WHERE caller = 'B') AS "B",
       max(matrix.cell(tried)) FILTER (WHERE caller = 'service') AS service,
       max(matrix.cell(tried)) FILTER (WHERE caller = 'owner') AS owner,
       max(matrix.cell(tried)) FILTER (WHERE caller = 'super') AS super
FROM matrix.results
WHERE kind IN ('r', 'p', 'v')
GROUP BY object, privilege
ORDER BY object, array_position(ARRAY['select', 'insert', 'update', 'delete', 'truncate'], privilege);
SELECT object COLLATE "C", privilege,
       bool_or(says) FILTER (WHERE caller = 'anon') AS anon,
       bool_or(says) FILTER (WHERE caller = 'A') AS authenticated,
       bool_or(says) FILTER (WHERE caller = 'service') AS service,
       bool_or(says) FILTER (WHERE caller = 'owner') AS owner,
       bool_or(says) FILTER (WHERE caller = 'super') AS super
FROM matrix.results
WHERE kind NOT IN ('r', 'p', 'v')
GROUP BY object, privilege
ORDER BY object;

\c :main
DROP DATABASE regress_agent_matrix;
DROP ROLE anon, authenticated, service_role, regress_agent_owner;
