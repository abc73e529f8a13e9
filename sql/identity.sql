-- Whose job it is: the sub of request.jwt.claims, else agent_queue.user_id; others' and the system's only for the owner,
-- superusers and roles that bypass row-level security. Delayed by an hour, so that no worker touches them.
-- The CONTEXT of errors, which is our own INSERT, is left out.
\set SHOW_CONTEXT never
INSERT INTO agent_types (name) VALUES ('t_identity');
CREATE ROLE regress_agent_client;
CREATE ROLE regress_agent_service BYPASSRLS;
SELECT grant_agent_access('regress_agent_client');
SELECT grant_agent_access('regress_agent_service');

-- A client without an identity would be the system: 42501.
SET ROLE regress_agent_client;
SELECT enqueue_agent('t_identity', '{"text": "nobody"}', delay => '1 hour');
\echo :SQLSTATE
INSERT INTO agent_queue (agent_type, request_data, run_at)
VALUES ('t_identity', '{"text": "nobody"}', now() + interval '1 hour');
\echo :SQLSTATE

-- … and it sees nothing.
SELECT agent_queue_caller() IS NULL AS is_nobody, (SELECT count(*) FROM agent_queue) AS jobs;

-- With the GUC: its own.
SET agent_queue.user_id = '00000000-0000-0000-0000-0000000000a1';
SELECT agent_queue_caller();
SELECT enqueue_agent('t_identity', '{"text": "guc"}', delay => '1 hour') IS NOT NULL AS has_id;
SELECT enqueue_agent('t_identity', '{"text": "guc, named"}', '00000000-0000-0000-0000-0000000000a1',
                     delay => '1 hour') IS NOT NULL AS has_id;
INSERT INTO agent_queue (agent_type, request_data, run_at)
VALUES ('t_identity', '{"text": "guc, insert"}', now() + interval '1 hour');
INSERT INTO agent_queue (user_id, agent_type, request_data, run_at)
VALUES ('00000000-0000-0000-0000-0000000000a1', 't_identity', '{"text": "guc, insert, named"}', now() + interval '1 hour');
-- … and nobody else's: 42501.
SELECT enqueue_agent('t_identity', '{"text": "stolen"}', '00000000-0000-0000-0000-0000000000a2', delay => '1 hour');
\echo :SQLSTATE
INSERT INTO agent_queue (user_id, agent_type, request_data, run_at)
VALUES ('00000000-0000-0000-0000-0000000000a2', 't_identity', '{"text": "stolen"}', now() + interval '1 hour');
\echo :SQLSTATE

-- The claims of the gateway go before the GUC.
SET request.jwt.claims = '{"sub": "00000000-0000-0000-0000-0000000000a3", "role": "authenticated"}';
SELECT enqueue_agent('t_identity', '{"text": "claims"}', delay => '1 hour') IS NOT NULL AS has_id;
SELECT enqueue_agent('t_identity', '{"text": "stolen"}', '00000000-0000-0000-0000-0000000000a1', delay => '1 hour');
\echo :SQLSTATE
-- Claims without a sub, and empty ones (as a pooler leaves them): the GUC.
SET request.jwt.claims = '{"role": "anon"}';
SELECT enqueue_agent('t_identity', '{"text": "guc again"}', delay => '1 hour') IS NOT NULL AS has_id;
SET request.jwt.claims = '';
SELECT enqueue_agent('t_identity', '{"text": "guc again"}', delay => '1 hour') IS NOT NULL AS has_id;
-- Claims that cannot be read are no identity at all.
SET request.jwt.claims = 'garbage';
SELECT count(*) FROM agent_queue;
\echo :SQLSTATE
SELECT enqueue_agent('t_identity', '{"text": "garbage"}', delay => '1 hour');
\echo :SQLSTATE
SET request.jwt.claims = '{"sub": "no uuid"}';
SELECT enqueue_agent('t_identity', '{"text": "garbage"}', delay => '1 hour');
\echo :SQLSTATE
RESET request.jwt.claims;
SET agent_queue.user_id = 'no uuid';
SELECT enqueue_agent('t_identity', '{"text": "garbage"}', delay => '1 hour');
\echo :SQLSTATE
RESET agent_queue.user_id;
RESET ROLE;

-- A service that bypasses row-level security enqueues for everybody and for the system.
SET ROLE regress_agent_service;
SELECT enqueue_agent('t_identity', '{"text": "service, for somebody"}', '00000000-0000-0000-0000-0000000000a4',
                     delay => '1 hour') IS NOT NULL AS has_id;
SELECT enqueue_agent('t_identity', '{"text": "service, for the system"}', delay => '1 hour') IS NOT NULL AS has_id;
RESET ROLE;
-- So does the owner; with an identity set, a job without a user is that identity's.
SELECT enqueue_agent('t_identity', '{"text": "owner, for the system"}', delay => '1 hour') IS NOT NULL AS has_id;
SET agent_queue.user_id = '00000000-0000-0000-0000-0000000000a5';
SELECT enqueue_agent('t_identity', '{"text": "owner, as somebody"}', delay => '1 hour') IS NOT NULL AS has_id;
RESET agent_queue.user_id;

SELECT request_data ->> 'text' AS text, user_id FROM agent_queue WHERE agent_type = 't_identity' ORDER BY id;
DELETE FROM agent_queue WHERE agent_type = 't_identity';
DELETE FROM agent_types WHERE name = 't_identity';
SELECT revoke_agent_access('regress_agent_client');
SELECT revoke_agent_access('regress_agent_service');
DROP ROLE regress_agent_client, regress_agent_service;
