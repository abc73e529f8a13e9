-- The extension lives in whatever schema it was created in, also one that has to be quoted, and a session's search_path
-- does not matter to it.
DROP EXTENSION agent_queue;
CREATE SCHEMA "Agents & co";
CREATE EXTENSION agent_queue SCHEMA "Agents & co";

INSERT INTO "Agents & co".agent_types (name) VALUES ('t_schema');
INSERT INTO "Agents & co".agent_routes (agent_type, provider, model) VALUES ('t_schema', 'echo', 'echo');
-- Tables that would be found first, if names were not qualified.
CREATE TABLE public.agent_queue (id text);
CREATE TABLE public.agent_types (name text);
SET search_path = public;
SELECT "Agents & co".enqueue_agent('t_schema', '{"text": "hola"}') AS id \gset
SELECT "Agents & co".wait_agent(:id);
INSERT INTO "Agents & co".agent_providers (name, base_url) VALUES ('openai', 'http://127.0.0.1/v1') RETURNING shipped;
SELECT count(*) FROM public.agent_queue;
SELECT queue, completed FROM "Agents & co".queue_stats WHERE queue = 'agents';
-- A role that is given access can reach the schema, and its policies find the identity.
CREATE ROLE regress_agent_client;
SELECT "Agents & co".grant_agent_access('regress_agent_client');
SET ROLE regress_agent_client;
SET agent_queue.user_id = '00000000-0000-0000-0000-0000000000a1';
SELECT "Agents & co".enqueue_agent('t_schema', '{"text": "mine"}', delay => '1 hour') AS id \gset
SELECT user_id, request_data FROM "Agents & co".agent_queue;
RESET ROLE;
RESET agent_queue.user_id;
SELECT "Agents & co".revoke_agent_access('regress_agent_client');
REVOKE USAGE ON SCHEMA "Agents & co" FROM regress_agent_client;
-- Who has no right on the schema is not disturbed by its event trigger.
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_agent_client', current_database()); END $$;
SET ROLE regress_agent_client;
SET client_min_messages = error;
CREATE PUBLICATION regress_agent_publication;
DROP PUBLICATION regress_agent_publication;
RESET client_min_messages;
RESET ROLE;
DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM regress_agent_client', current_database()); END $$;
DROP ROLE regress_agent_client;
RESET search_path;

DROP TABLE public.agent_queue, public.agent_types;
DROP EXTENSION agent_queue;
DROP SCHEMA "Agents & co";
CREATE EXTENSION agent_queue;
