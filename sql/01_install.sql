-- Installation: what is there, that it explains itself, and that it is closed to everybody but the owner.
-- A platform may give its roles rights on everything new; the extension takes them away again.
CREATE ROLE regress_agent_stranger;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO regress_agent_stranger;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO regress_agent_stranger;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO regress_agent_stranger;

CREATE EXTENSION agent_queue;

SELECT agent_queue_version() = extversion AS library_fits FROM pg_extension WHERE extname = 'agent_queue';

-- The members.
SELECT pg_describe_object(d.classid, d.objid, 0) COLLATE "C" AS member
FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid
WHERE e.extname = 'agent_queue' AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass)
ORDER BY member;

-- Members of other kinds (row types belong to their tables): what is new here needs checks of its own below.
SELECT pg_describe_object(d.classid, d.objid, 0) AS other_kind
FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid
WHERE e.extname = 'agent_queue' AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.classid NOT IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass);

-- Members without a comment: none (a sequence is explained by its table).
SELECT pg_describe_object(d.classid, d.objid, 0) AS unexplained
FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid
WHERE e.extname = 'agent_queue' AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass)
  AND obj_description(d.objid, d.classid::regclass::name) IS NULL
  AND NOT EXISTS (SELECT FROM pg_class AS c
                  WHERE d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind = 'S');

-- Rights of anybody but the owner: none, on relations, on columns, on functions.
SELECT c.oid::regclass AS relation, a.grantee::regrole, a.privilege_type
FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid AND e.extname = 'agent_queue' AND d.deptype = 'e'
JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid,
     aclexplode(coalesce(c.relacl,
                         acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner))) AS a
WHERE a.grantee <> c.relowner;
SELECT c.attrelid::regclass AS relation, c.attname, a.grantee::regrole, a.privilege_type
FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid AND e.extname = 'agent_queue' AND d.deptype = 'e'
JOIN pg_attribute AS c ON d.classid = 'pg_class'::regclass AND c.attrelid = d.objid, aclexplode(c.attacl) AS a;
SELECT p.oid::regprocedure AS function, a.grantee::regrole, a.privilege_type
FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid AND e.extname = 'agent_queue' AND d.deptype = 'e'
JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid,
     aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
WHERE a.grantee <> p.proowner;
-- Row-level security: on every table, so that even a role with rights sees nothing where no policy says so.
SELECT c.oid::regclass AS unprotected
FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid AND e.extname = 'agent_queue' AND d.deptype = 'e'
JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
WHERE c.relkind IN ('r', 'p') AND NOT c.relrowsecurity;
SELECT tablename, policyname, permissive, roles, cmd, qual, with_check FROM pg_policies ORDER BY policyname;
-- The same, tried.
SET ROLE regress_agent_stranger;
SELECT count(*) FROM agent_queue;
INSERT INTO agent_queue (agent_type, request_data) VALUES ('x', '{}');
SELECT enqueue_agent('x', '{}');
SELECT count(*) FROM agent_workers;
SELECT adopt_jobs();
RESET ROLE;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM regress_agent_stranger;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON SEQUENCES FROM regress_agent_stranger;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM regress_agent_stranger;
DROP ROLE regress_agent_stranger;

-- SQL and plpgsql functions lock their search_path, but for those whose body was bound when they were made: none without.
SELECT p.oid::regprocedure AS unlocked
FROM pg_depend AS d JOIN pg_extension AS e ON d.refobjid = e.oid AND e.extname = 'agent_queue' AND d.deptype = 'e'
JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
JOIN pg_language AS l ON l.oid = p.prolang
WHERE l.lanname <> 'c' AND p.prosqlbody IS NULL AND NOT coalesce(p.proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false);

-- Four indexes on the hot table, no more; no index and no constraint on the parent of the usage.
SELECT indexrelid::regclass::name AS index FROM pg_index WHERE indrelid = 'agent_queue'::regclass ORDER BY index;
-- A job that waits for adopt_jobs() is in none that a worker walks.
SELECT indexrelid::regclass::name AS index, pg_get_expr(indpred, indrelid) LIKE '%(claim_key IS NOT NULL)%' AS adopted_only
FROM pg_index WHERE indrelid = 'agent_queue'::regclass AND indpred IS NOT NULL ORDER BY index;
SELECT count(*) FROM pg_index WHERE indrelid = 'api_usage'::regclass;
SELECT count(*) FROM pg_constraint WHERE conrelid = 'api_usage'::regclass AND contype <> 'n';

-- What is dumped.
SELECT unnest(extconfig)::regclass::name AS dumped, unnest(extcondition) AS condition
FROM pg_extension WHERE extname = 'agent_queue' ORDER BY dumped;

-- The home of this installation.
SELECT o.system_identifier = c.system_identifier AS this_cluster, d.datname = current_database() AS this_database
FROM agent_queue_origin AS o, pg_control_system() AS c, pg_database AS d WHERE d.oid = o.database_oid;

-- What is shipped.
SELECT name, concurrency, paused, keep_for, shipped FROM agent_queues ORDER BY name;
SELECT name, wire_format, dialect, base_url, api_key_ref, enabled, shipped FROM agent_providers ORDER BY name;
SELECT provider, count(*), bool_and(shipped) AS shipped FROM agent_models GROUP BY provider ORDER BY provider;
