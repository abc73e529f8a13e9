-- Closed to everybody but the owner. The catalog is asked for the members, so that none can be forgotten, and not only
-- PUBLIC is stripped: default privileges may have given rights to others (a hosted platform gives its web roles
-- everything that is new).
DO $$
DECLARE
    granted record;
BEGIN
    -- The script's head has done so already; this block is the one that looks names up at run time.
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    FOR granted IN
        WITH members AS (
            SELECT d.classid, d.objid
            FROM pg_catalog.pg_depend AS d
            JOIN pg_catalog.pg_extension AS e ON d.refobjid = e.oid
            WHERE e.extname = 'agent_queue' AND d.deptype = 'e'
              AND d.refclassid = 'pg_catalog.pg_extension'::regclass::oid
        ), objects AS (
            SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name,
                   c.relowner AS owner,
                   coalesce(c.relacl, pg_catalog.acldefault(
                       CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner)) AS acl
            FROM pg_catalog.pg_class AS c
            JOIN members AS m ON m.objid = c.oid AND m.classid = 'pg_catalog.pg_class'::regclass::oid
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
            UNION ALL
            SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner,
                   coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))
            FROM pg_catalog.pg_proc AS p
            JOIN members AS m ON m.objid = p.oid AND m.classid = 'pg_catalog.pg_proc'::regclass::oid
        )
        SELECT DISTINCT o.kind, o.name, a.grantee,
               CASE WHEN a.grantee = 0 THEN 'PUBLIC'
                    ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END AS role
        FROM objects AS o, pg_catalog.aclexplode(o.acl) AS a
        WHERE a.grantee <> o.owner
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON %s %s FROM %s CASCADE', granted.kind, granted.name, granted.role);
    END LOOP;
END
$$;
