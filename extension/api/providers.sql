-- A key that is typed where a reference belongs must not travel into the log: a violated CHECK would put the whole row
-- into the error's DETAIL. This trigger comes before the table's CHECKs and says no more than what is wrong.
CREATE OR REPLACE FUNCTION @extschema@.agent_providers_check_key_ref() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.api_key_ref !~ '^(env:[A-Za-z_][A-Za-z0-9_]*|file:/[^[:cntrl:]]+|vault:[^[:cntrl:]]+)?$' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = 'api_key_ref is not a reference to a key',
            DETAIL = 'Its value is not shown: it may be a key.',
            HINT = 'Write env:NAME, file:/path or vault:NAME. The key itself never belongs in a table.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@.agent_providers_check_key_ref() IS
    'Refuses what is no reference to a key, without repeating it';
