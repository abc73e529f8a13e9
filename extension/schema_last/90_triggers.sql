-- Made after the shipped rows, so that those are not taken for a user's. All of them ENABLE ALWAYS, but for one: a
-- replica, too, must not run what it receives and must notice changed configuration.
CREATE TRIGGER agent_queue_admit BEFORE INSERT ON @extschema@.agent_queue
    FOR EACH ROW EXECUTE FUNCTION @extschema@.agent_queue_admit();
ALTER TABLE @extschema@.agent_queue ENABLE ALWAYS TRIGGER agent_queue_admit;
-- ENABLE REPLICA: it fires for replicated changes only, never for the workers' own.
CREATE TRIGGER agent_queue_keep_replicated BEFORE UPDATE ON @extschema@.agent_queue
    FOR EACH ROW EXECUTE FUNCTION @extschema@.agent_queue_keep_replicated();
ALTER TABLE @extschema@.agent_queue ENABLE REPLICA TRIGGER agent_queue_keep_replicated;
-- Finished and waiting jobs have no claim, those that were restored or replicated have no claim_key: nothing is called
-- for them.
CREATE TRIGGER agent_queue_note_orphan AFTER DELETE ON @extschema@.agent_queue
    FOR EACH ROW WHEN (OLD.claim IS NOT NULL AND OLD.claim_key IS NOT NULL)
    EXECUTE FUNCTION @extschema@.agent_queue_note_orphans();
ALTER TABLE @extschema@.agent_queue ENABLE ALWAYS TRIGGER agent_queue_note_orphan;
CREATE TRIGGER agent_queue_note_orphans BEFORE TRUNCATE ON @extschema@.agent_queue
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.agent_queue_note_orphans();
ALTER TABLE @extschema@.agent_queue ENABLE ALWAYS TRIGGER agent_queue_note_orphans;

-- Triggers of one kind run in the order of their names: this one comes first.
CREATE TRIGGER agent_providers_check_key_ref BEFORE INSERT OR UPDATE ON @extschema@.agent_providers
    FOR EACH ROW EXECUTE FUNCTION @extschema@.agent_providers_check_key_ref();
ALTER TABLE @extschema@.agent_providers ENABLE ALWAYS TRIGGER agent_providers_check_key_ref;
CREATE TRIGGER agent_providers_replace_shipped BEFORE INSERT ON @extschema@.agent_providers
    FOR EACH ROW EXECUTE FUNCTION @extschema@.agent_providers_replace_shipped();
CREATE TRIGGER agent_providers_clear_shipped BEFORE UPDATE ON @extschema@.agent_providers
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION @extschema@.agent_queue_clear_shipped();
CREATE TRIGGER agent_models_replace_shipped BEFORE INSERT ON @extschema@.agent_models
    FOR EACH ROW EXECUTE FUNCTION @extschema@.agent_models_replace_shipped();
CREATE TRIGGER agent_models_clear_shipped BEFORE UPDATE ON @extschema@.agent_models
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION @extschema@.agent_queue_clear_shipped();
CREATE TRIGGER agent_queues_replace_shipped BEFORE INSERT ON @extschema@.agent_queues
    FOR EACH ROW EXECUTE FUNCTION @extschema@.agent_queues_replace_shipped();
CREATE TRIGGER agent_queues_clear_shipped BEFORE UPDATE ON @extschema@.agent_queues
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION @extschema@.agent_queue_clear_shipped();
CREATE TRIGGER agent_tiers_replace_shipped BEFORE INSERT ON @extschema@.agent_tiers
    FOR EACH ROW EXECUTE FUNCTION @extschema@.agent_tiers_replace_shipped();
CREATE TRIGGER agent_tiers_clear_shipped BEFORE UPDATE ON @extschema@.agent_tiers
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION @extschema@.agent_queue_clear_shipped();
CREATE TRIGGER agent_limits_replace_shipped BEFORE INSERT ON @extschema@.agent_limits
    FOR EACH ROW EXECUTE FUNCTION @extschema@.agent_limits_replace_shipped();
CREATE TRIGGER agent_limits_clear_shipped BEFORE UPDATE ON @extschema@.agent_limits
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION @extschema@.agent_queue_clear_shipped();
CREATE TRIGGER prompt_replacements_replace_shipped BEFORE INSERT ON @extschema@.prompt_replacements
    FOR EACH ROW EXECUTE FUNCTION @extschema@.prompt_replacements_replace_shipped();
CREATE TRIGGER prompt_replacements_clear_shipped BEFORE UPDATE ON @extschema@.prompt_replacements
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION @extschema@.agent_queue_clear_shipped();
CREATE TRIGGER cache_types_replace_shipped BEFORE INSERT ON @extschema@.cache_types
    FOR EACH ROW EXECUTE FUNCTION @extschema@.cache_types_replace_shipped();
CREATE TRIGGER cache_types_clear_shipped BEFORE UPDATE ON @extschema@.cache_types
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION @extschema@.agent_queue_clear_shipped();

CREATE TRIGGER agent_types_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.agent_types
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.agent_queue_config_changed();
CREATE TRIGGER agent_routes_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.agent_routes
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.agent_queue_config_changed();
CREATE TRIGGER agent_providers_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.agent_providers
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.agent_queue_config_changed();
CREATE TRIGGER agent_models_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.agent_models
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.agent_queue_config_changed();
CREATE TRIGGER agent_queues_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.agent_queues
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.agent_queue_config_changed();
CREATE TRIGGER agent_tiers_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.agent_tiers
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.agent_queue_config_changed();
CREATE TRIGGER agent_users_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.agent_users
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.agent_queue_users_changed();
CREATE TRIGGER agent_limits_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.agent_limits
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.agent_queue_config_changed();
CREATE TRIGGER agent_budgets_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.agent_budgets
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.agent_queue_config_changed();
CREATE TRIGGER prompt_replacements_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.prompt_replacements
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.agent_queue_config_changed();
CREATE TRIGGER cache_types_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.cache_types
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.agent_queue_config_changed();

ALTER TABLE @extschema@.agent_types ENABLE ALWAYS TRIGGER agent_types_changed;
ALTER TABLE @extschema@.agent_routes ENABLE ALWAYS TRIGGER agent_routes_changed;
ALTER TABLE @extschema@.agent_providers ENABLE ALWAYS TRIGGER agent_providers_changed;
ALTER TABLE @extschema@.agent_providers ENABLE ALWAYS TRIGGER agent_providers_replace_shipped;
ALTER TABLE @extschema@.agent_providers ENABLE ALWAYS TRIGGER agent_providers_clear_shipped;
ALTER TABLE @extschema@.agent_models ENABLE ALWAYS TRIGGER agent_models_changed;
ALTER TABLE @extschema@.agent_models ENABLE ALWAYS TRIGGER agent_models_replace_shipped;
ALTER TABLE @extschema@.agent_models ENABLE ALWAYS TRIGGER agent_models_clear_shipped;
ALTER TABLE @extschema@.agent_queues ENABLE ALWAYS TRIGGER agent_queues_changed;
ALTER TABLE @extschema@.agent_queues ENABLE ALWAYS TRIGGER agent_queues_replace_shipped;
ALTER TABLE @extschema@.agent_queues ENABLE ALWAYS TRIGGER agent_queues_clear_shipped;
ALTER TABLE @extschema@.agent_tiers ENABLE ALWAYS TRIGGER agent_tiers_changed;
ALTER TABLE @extschema@.agent_tiers ENABLE ALWAYS TRIGGER agent_tiers_replace_shipped;
ALTER TABLE @extschema@.agent_tiers ENABLE ALWAYS TRIGGER agent_tiers_clear_shipped;
ALTER TABLE @extschema@.agent_users ENABLE ALWAYS TRIGGER agent_users_changed;
ALTER TABLE @extschema@.agent_limits ENABLE ALWAYS TRIGGER agent_limits_changed;
ALTER TABLE @extschema@.agent_limits ENABLE ALWAYS TRIGGER agent_limits_replace_shipped;
ALTER TABLE @extschema@.agent_limits ENABLE ALWAYS TRIGGER agent_limits_clear_shipped;
ALTER TABLE @extschema@.agent_budgets ENABLE ALWAYS TRIGGER agent_budgets_changed;
ALTER TABLE @extschema@.prompt_replacements ENABLE ALWAYS TRIGGER prompt_replacements_changed;
ALTER TABLE @extschema@.prompt_replacements ENABLE ALWAYS TRIGGER prompt_replacements_replace_shipped;
ALTER TABLE @extschema@.prompt_replacements ENABLE ALWAYS TRIGGER prompt_replacements_clear_shipped;
ALTER TABLE @extschema@.cache_types ENABLE ALWAYS TRIGGER cache_types_changed;
ALTER TABLE @extschema@.cache_types ENABLE ALWAYS TRIGGER cache_types_replace_shipped;
ALTER TABLE @extschema@.cache_types ENABLE ALWAYS TRIGGER cache_types_clear_shipped;
