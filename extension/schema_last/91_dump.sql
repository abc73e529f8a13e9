-- What pg_dump saves. Untouched shipped rows are not: the version of the extension that is restored into has its own.
-- agent_queue_origin is not here on purpose, nor is agent_orphans: those calls are the dumped database's own.
SELECT pg_catalog.pg_extension_config_dump('@extschema@.agent_queue', '');
SELECT pg_catalog.pg_extension_config_dump(
    pg_catalog.pg_get_serial_sequence('@extschema@.agent_queue', 'id')::pg_catalog.regclass, '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.agent_types', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.agent_routes', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.agent_providers', 'WHERE NOT shipped');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.agent_models', 'WHERE NOT shipped');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.agent_queues', 'WHERE NOT shipped');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.agent_tiers', 'WHERE NOT shipped');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.agent_users', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.agent_limits', 'WHERE NOT shipped');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.agent_budgets', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.prompt_replacements', 'WHERE NOT shipped');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.cache_types', 'WHERE NOT shipped');
-- Without the versions, what was cached before a restore could be found again by a count that begins anew.
SELECT pg_catalog.pg_extension_config_dump('@extschema@.cache_versions', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.agent_alerts', '');
SELECT pg_catalog.pg_extension_config_dump(
    pg_catalog.pg_get_serial_sequence('@extschema@.agent_alerts', 'id')::pg_catalog.regclass, '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.api_usage_default', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.agent_token_ratios', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.api_usage_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.api_usage_rollup', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.api_usage_folded', '');
