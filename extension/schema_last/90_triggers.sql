-- Made after the shipped rows, so that those are not taken for a user's. All of them ENABLE ALWAYS: a replica, too,
-- must not run what it receives and must notice changed configuration.
CREATE TRIGGER agent_queue_admit BEFORE INSERT ON agent_queue
    FOR EACH ROW EXECUTE FUNCTION agent_queue_admit();
ALTER TABLE agent_queue ENABLE ALWAYS TRIGGER agent_queue_admit;

-- Triggers of one kind run in the order of their names: this one comes first.
CREATE TRIGGER agent_providers_check_key_ref BEFORE INSERT OR UPDATE ON agent_providers
    FOR EACH ROW EXECUTE FUNCTION agent_providers_check_key_ref();
ALTER TABLE agent_providers ENABLE ALWAYS TRIGGER agent_providers_check_key_ref;
CREATE TRIGGER agent_providers_replace_shipped BEFORE INSERT ON agent_providers
    FOR EACH ROW EXECUTE FUNCTION agent_providers_replace_shipped();
CREATE TRIGGER agent_providers_clear_shipped BEFORE UPDATE ON agent_providers
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION agent_queue_clear_shipped();
CREATE TRIGGER agent_models_replace_shipped BEFORE INSERT ON agent_models
    FOR EACH ROW EXECUTE FUNCTION agent_models_replace_shipped();
CREATE TRIGGER agent_models_clear_shipped BEFORE UPDATE ON agent_models
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION agent_queue_clear_shipped();
CREATE TRIGGER agent_queues_replace_shipped BEFORE INSERT ON agent_queues
    FOR EACH ROW EXECUTE FUNCTION agent_queues_replace_shipped();
CREATE TRIGGER agent_queues_clear_shipped BEFORE UPDATE ON agent_queues
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION agent_queue_clear_shipped();

CREATE TRIGGER agent_types_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON agent_types
    FOR EACH STATEMENT EXECUTE FUNCTION agent_queue_config_changed();
CREATE TRIGGER agent_routes_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON agent_routes
    FOR EACH STATEMENT EXECUTE FUNCTION agent_queue_config_changed();
CREATE TRIGGER agent_providers_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON agent_providers
    FOR EACH STATEMENT EXECUTE FUNCTION agent_queue_config_changed();
CREATE TRIGGER agent_models_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON agent_models
    FOR EACH STATEMENT EXECUTE FUNCTION agent_queue_config_changed();
CREATE TRIGGER agent_queues_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON agent_queues
    FOR EACH STATEMENT EXECUTE FUNCTION agent_queue_config_changed();

ALTER TABLE agent_types ENABLE ALWAYS TRIGGER agent_types_changed;
ALTER TABLE agent_routes ENABLE ALWAYS TRIGGER agent_routes_changed;
ALTER TABLE agent_providers ENABLE ALWAYS TRIGGER agent_providers_changed;
ALTER TABLE agent_providers ENABLE ALWAYS TRIGGER agent_providers_replace_shipped;
ALTER TABLE agent_providers ENABLE ALWAYS TRIGGER agent_providers_clear_shipped;
ALTER TABLE agent_models ENABLE ALWAYS TRIGGER agent_models_changed;
ALTER TABLE agent_models ENABLE ALWAYS TRIGGER agent_models_replace_shipped;
ALTER TABLE agent_models ENABLE ALWAYS TRIGGER agent_models_clear_shipped;
ALTER TABLE agent_queues ENABLE ALWAYS TRIGGER agent_queues_changed;
ALTER TABLE agent_queues ENABLE ALWAYS TRIGGER agent_queues_replace_shipped;
ALTER TABLE agent_queues ENABLE ALWAYS TRIGGER agent_queues_clear_shipped;
