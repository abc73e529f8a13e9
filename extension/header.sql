-- agent_queue: an LLM job queue inside PostgreSQL. Built by make from extension/; do not edit the built file.
\echo Use "CREATE EXTENSION agent_queue" to load this file. \quit

-- Nothing is looked up in the schema that is installed into, nor in any other that users may write to: an operator or
-- function of their making that fits better than pg_catalog's would run with the rights of who installs. So every name
-- of the extension is written with its schema, and one that is forgotten fails here, because pg_catalog takes nothing.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

