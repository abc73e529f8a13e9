-- Who sees what, and who may do what. The policies that ask agent_queue_caller() are in schema_last/93_access.sql.
-- Tested in sql/identity.sql, sql/access.sql and sql/role_matrix.sql.
--
-- The planner asks for LEAKPROOF only where a function takes columns; this one takes nothing.
CREATE OR REPLACE FUNCTION @extschema@.agent_queue_caller() RETURNS uuid
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'aq_caller';
COMMENT ON FUNCTION @extschema@.agent_queue_caller() IS
    'The caller''s identity: the sub of request.jwt.claims, else the setting agent_queue.user_id; NULL: nobody '
    '(granted by grant_agent_access)';

-- One line a privilege, as GRANT and REVOKE spell it. A function opens itself by the end of its comment, so that a new
-- one stays closed until its author decides. SELECT is on all columns: a client asks for all of them (RETURNING *,
-- select=*), which would fail for the lack of one, and those of the machinery tell nothing about other users.
CREATE OR REPLACE FUNCTION @extschema@.agent_queue_user_privileges() RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    VALUES ('SELECT ON TABLE @extschema@.agent_queue'),
           ('INSERT (user_id, agent_type, request_data, priority, run_at, expires_at, idempotency_key, queue) '
            'ON TABLE @extschema@.agent_queue'),
           ('SELECT ON TABLE @extschema@.api_usage'),
           ('SELECT ON TABLE @extschema@.api_usage_rollup'),
           ('SELECT ON TABLE @extschema@.api_usage_amounts'),
           ('SELECT ON TABLE @extschema@.daily_costs'),
           ('SELECT ON TABLE @extschema@.user_costs'),
           ('SELECT ON TABLE @extschema@.costs_by_agent_type'),
           ('SELECT ON TABLE @extschema@.costs_by_model'),
           ('SELECT ON TABLE @extschema@.costs_by_day'),
           ('SELECT ON TABLE @extschema@.agent_alerts'),
           ('SELECT ON TABLE @extschema@.rate_limits')
    UNION ALL
    SELECT 'EXECUTE ON ROUTINE ' || d.objid::regprocedure::text
    FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_extension AS e ON d.refobjid = e.oid
    WHERE e.extname = 'agent_queue' AND d.deptype = 'e'
      AND d.refclassid = 'pg_catalog.pg_extension'::regclass::oid AND d.classid = 'pg_catalog.pg_proc'::regclass::oid
      AND pg_catalog.obj_description(d.objid, 'pg_proc') LIKE '%(granted by grant\_agent\_access)'
$$;
COMMENT ON FUNCTION @extschema@.agent_queue_user_privileges() IS 'What grant_agent_access() gives';

CREATE OR REPLACE FUNCTION @extschema@.agent_queue_need_owner() RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT (SELECT pg_catalog.pg_has_role(e.extowner, 'USAGE')
            FROM pg_catalog.pg_extension AS e WHERE e.extname = 'agent_queue') THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'permission denied to change who may use agent_queue',
            DETAIL = 'Access is given and taken by the extension''s owner and by superusers.';
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.agent_queue_need_owner() IS
    'Raises 42501 unless the caller is the extension''s owner or a superuser';

CREATE OR REPLACE FUNCTION @extschema@.grant_agent_access(
    -- the role of an application's users, or of its back end
    role regrole
) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    home text := (SELECT n.nspname FROM pg_catalog.pg_extension AS e
                  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'agent_queue');
    privilege text;
BEGIN
    PERFORM @extschema@.agent_queue_need_owner();
    IF role IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'role is NULL';
    END IF;
    -- The owner of the extension need not be the schema's: nothing is granted that the role has already.
    IF NOT pg_catalog.has_schema_privilege(role, home, 'USAGE') THEN
        EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %s', home, role);
    END IF;
    FOR privilege IN SELECT p FROM @extschema@.agent_queue_user_privileges() AS p
    LOOP
        EXECUTE pg_catalog.format('GRANT %s TO %s', privilege, role);
    END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.grant_agent_access(regrole) IS
    'Lets a role enqueue jobs and see its own: row-level security shows it the rows of agent_queue_caller(), and all '
    'rows if it bypasses row-level security';

CREATE OR REPLACE FUNCTION @extschema@.revoke_agent_access(
    -- a role that grant_agent_access() was called for
    role regrole
) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    privilege text;
BEGIN
    PERFORM @extschema@.agent_queue_need_owner();
    IF role IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'role is NULL';
    END IF;
    FOR privilege IN SELECT p FROM @extschema@.agent_queue_user_privileges() AS p
    LOOP
        EXECUTE pg_catalog.format('REVOKE %s FROM %s', privilege, role);
    END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.revoke_agent_access(regrole) IS
    'Takes back what grant_agent_access() gave; USAGE on the schema stays';

CREATE OR REPLACE FUNCTION @extschema@.agent_queue_join_realtime() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- A publication FOR ALL TABLES, or of our schema, has the table already.
    IF EXISTS (SELECT FROM pg_catalog.pg_publication AS p
               WHERE p.pubname = 'supabase_realtime' AND pg_catalog.pg_has_role(p.pubowner, 'USAGE')
                 AND NOT EXISTS (SELECT FROM pg_catalog.pg_get_publication_tables(p.pubname) AS t
                                 WHERE t.relid = '@extschema@.agent_queue'::regclass)) THEN
        ALTER PUBLICATION supabase_realtime ADD TABLE @extschema@.agent_queue;
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.agent_queue_join_realtime() IS
    'Adds agent_queue to the publication supabase_realtime, where there is one that the caller owns';

CREATE OR REPLACE FUNCTION @extschema@.agent_queue_publication_created() RETURNS event_trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Whoever else makes a publication may not publish our table, and is not disturbed.
    -- The table is looked for without its name: to use that, one needs rights on its schema.
    IF (SELECT pg_catalog.pg_has_role(c.relowner, 'USAGE')
        FROM pg_catalog.pg_extension AS e
        JOIN pg_catalog.pg_class AS c ON c.relnamespace = e.extnamespace AND c.relname = 'agent_queue'
        WHERE e.extname = 'agent_queue') THEN
        PERFORM @extschema@.agent_queue_join_realtime();
    END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.agent_queue_publication_created() IS
    'Publishes the jobs to Supabase Realtime as soon as its publication is there';
