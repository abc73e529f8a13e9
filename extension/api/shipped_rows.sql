-- Rows that come with the extension give way to a user's. One function a table, because the keys differ.
-- In all of them: a row that a session writes is the user's, so `shipped` cannot be set from outside.
CREATE OR REPLACE FUNCTION @extschema@.agent_providers_replace_shipped() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM @extschema@.agent_providers AS p WHERE p.name = NEW.name AND p.shipped;
    NEW.shipped := false;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@.agent_providers_replace_shipped() IS
    'A new row takes the place of the shipped one of the same key';

CREATE OR REPLACE FUNCTION @extschema@.agent_models_replace_shipped() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM @extschema@.agent_models AS m
    WHERE m.provider = NEW.provider AND m.model = NEW.model AND m.valid_from = NEW.valid_from AND m.shipped;
    NEW.shipped := false;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@.agent_models_replace_shipped() IS
    'A new row takes the place of the shipped one of the same key';

CREATE OR REPLACE FUNCTION @extschema@.agent_queues_replace_shipped() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM @extschema@.agent_queues AS q WHERE q.name = NEW.name AND q.shipped;
    NEW.shipped := false;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@.agent_queues_replace_shipped() IS
    'A new row takes the place of the shipped one of the same key';

CREATE OR REPLACE FUNCTION @extschema@.agent_tiers_replace_shipped() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM @extschema@.agent_tiers AS t WHERE t.name = NEW.name AND t.shipped;
    NEW.shipped := false;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@.agent_tiers_replace_shipped() IS
    'A new row takes the place of the shipped one of the same key';

CREATE OR REPLACE FUNCTION @extschema@.agent_limits_replace_shipped() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM @extschema@.agent_limits AS l WHERE l.tier = NEW.tier AND l.endpoint = NEW.endpoint AND l.shipped;
    NEW.shipped := false;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@.agent_limits_replace_shipped() IS
    'A new row takes the place of the shipped one of the same key';

CREATE OR REPLACE FUNCTION @extschema@.prompt_replacements_replace_shipped() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM @extschema@.prompt_replacements AS r
    WHERE r.language = NEW.language AND r.phrase = NEW.phrase AND r.shipped;
    NEW.shipped := false;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@.prompt_replacements_replace_shipped() IS
    'A new row takes the place of the shipped one of the same key';

CREATE OR REPLACE FUNCTION @extschema@.cache_types_replace_shipped() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM @extschema@.cache_types AS t WHERE t.type = NEW.type AND t.shipped;
    NEW.shipped := false;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@.cache_types_replace_shipped() IS
    'A new row takes the place of the shipped one of the same key';

CREATE OR REPLACE FUNCTION @extschema@.agent_queue_clear_shipped() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.shipped := false;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@.agent_queue_clear_shipped() IS
    'A changed row is the user''s: it is dumped, and updates of the extension leave it alone';
