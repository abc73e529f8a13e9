-- Row-level security. The owner is exempt (no FORCE), so workers pay nothing for it. Every table has it: what has no
-- policy stays closed even if a platform or a migration grants everything in the schema to its web roles, and a
-- provider's base_url says where keys are sent.
DO $$
DECLARE
    name text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    FOR name IN
        SELECT d.objid::regclass::text
        FROM pg_catalog.pg_depend AS d
        JOIN pg_catalog.pg_extension AS e ON d.refobjid = e.oid
        JOIN pg_catalog.pg_class AS c ON c.oid = d.objid
        WHERE e.extname = 'agent_queue' AND d.deptype = 'e' AND c.relkind IN ('r', 'p')
          AND d.refclassid = 'pg_catalog.pg_extension'::regclass::oid
          AND d.classid = 'pg_catalog.pg_class'::regclass::oid
    LOOP
        EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    END LOOP;
END
$$;

-- The sub-select makes the identity one value per statement instead of one call per row.
-- pg_dump leaves out the policies of an extension's tables, these as well as a user's own.
CREATE POLICY agent_queue_select_own ON @extschema@.agent_queue FOR SELECT
    USING (user_id = (SELECT @extschema@.agent_queue_caller()));
CREATE POLICY agent_queue_insert_own ON @extschema@.agent_queue FOR INSERT
    WITH CHECK (user_id = (SELECT @extschema@.agent_queue_caller()));
CREATE POLICY agent_queue_select_own_usage ON @extschema@.api_usage FOR SELECT
    USING (user_id = (SELECT @extschema@.agent_queue_caller()));
CREATE POLICY agent_queue_select_own_rollup ON @extschema@.api_usage_rollup FOR SELECT
    USING (user_id = (SELECT @extschema@.agent_queue_caller()));
CREATE POLICY agent_queue_select_own_alerts ON @extschema@.agent_alerts FOR SELECT
    USING (audience = 'user' AND user_id = (SELECT @extschema@.agent_queue_caller()));
COMMENT ON POLICY agent_queue_select_own ON @extschema@.agent_queue IS 'A user sees the own jobs';
COMMENT ON POLICY agent_queue_insert_own ON @extschema@.agent_queue IS 'A user enqueues for nobody else';
COMMENT ON POLICY agent_queue_select_own_usage ON @extschema@.api_usage IS 'A user sees the own usage';
COMMENT ON POLICY agent_queue_select_own_rollup ON @extschema@.api_usage_rollup IS 'A user sees the own usage';
COMMENT ON POLICY agent_queue_select_own_alerts ON @extschema@.agent_alerts IS
    'A user sees the alerts of the own budgets';

-- Supabase: the web roles and the publication of Realtime, where they are; anon gets nothing. A restore makes the
-- publication after the extension, and does not put members of extensions into it.
SELECT @extschema@.grant_agent_access(r.oid::regrole) FROM pg_catalog.pg_roles AS r
WHERE r.rolname IN ('authenticated', 'service_role');
SELECT @extschema@.agent_queue_join_realtime();
CREATE EVENT TRIGGER agent_queue_realtime ON ddl_command_end WHEN TAG IN ('CREATE PUBLICATION')
    EXECUTE FUNCTION @extschema@.agent_queue_publication_created();
COMMENT ON EVENT TRIGGER agent_queue_realtime IS
    'Publishes the jobs to Supabase Realtime as soon as its publication is there';

-- The CHECK of agent_queue runs it as whoever inserts. It reads nothing but its arguments.
GRANT EXECUTE ON FUNCTION
    @extschema@.agent_queue_check_job(text, boolean, text, int, int, int, text, text, text) TO PUBLIC;
