-- cancel_agent and retry_agent: states, rights, messages, rollback and savepoints. What they do to a call that is
-- running is in test/tap/220_verbs.pl.
\set SHOW_CONTEXT never
INSERT INTO agent_queues (name, paused) VALUES ('t_verbs', true);
INSERT INTO agent_types (name, queue, expires_in, max_retries) VALUES ('t_verbs', 't_verbs', '1 hour', 0);
INSERT INTO agent_types (name, queue, expires_in) VALUES ('t_verbs_gone', 't_verbs', NULL);
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_verbs', 'echo', 'echo');
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 950001;

-- Nothing there.
SELECT cancel_agent(1234567890123);
\echo :SQLSTATE
SELECT retry_agent(1234567890123);
\echo :SQLSTATE
SELECT cancel_agent(NULL) IS NULL AS is_null, retry_agent(NULL) IS NULL AS is_null;

-- Pending and scheduled jobs; a second time there is nothing to end.
SELECT enqueue_agent('t_verbs', '{"text": "pending"}') AS pending \gset
SELECT enqueue_agent('t_verbs', '{"text": "scheduled"}', delay => '1 hour') AS scheduled \gset
SELECT cancel_agent(:pending), cancel_agent(:scheduled), cancel_agent(:pending) AS again;
SELECT id, status, error_code, error_message, wait_reason, completed_at IS NOT NULL AS has_end, result, claim, retry_count
FROM agent_queue WHERE agent_type = 't_verbs' ORDER BY id;
-- What waits for it hears of it.
SELECT wait_agent(:pending);
\echo :SQLSTATE
-- A job that is not to be had is not failed.
SELECT enqueue_agent('t_verbs', '{"text": "waiting"}') AS waiting \gset
SELECT retry_agent(:waiting);

-- Again as if it were new, but with what was spent on it.
UPDATE agent_queue SET retry_count = 3, started_at = now(), cost_usd = 0.5, input_tokens = 7, result = '{}'
WHERE id = :pending;
SELECT claim_key AS old_key FROM agent_queue WHERE id = :pending \gset
SELECT retry_agent(:pending), retry_agent(:pending) AS again;
SELECT status, retry_count, error_code, error_message, result, started_at, completed_at, cost_usd, input_tokens,
       claim_key > :old_key AS is_behind_others, run_at > created_at AS runs_now,
       expires_at = run_at + interval '1 hour' AS expires_as_its_type_says
FROM agent_queue WHERE id = :pending;
-- It is in line: when its queue opens, it runs.
UPDATE agent_queues SET paused = false WHERE name = 't_verbs';
SELECT wait_agent(:pending) ->> 'text' AS text;
SELECT retry_agent(:pending) AS not_of_a_completed_one, cancel_agent(:pending) AS nor_cancelled;
UPDATE agent_queues SET paused = true WHERE name = 't_verbs';

-- A retry wakes a worker by itself.
SELECT retry_agent(:scheduled);
UPDATE agent_queues SET paused = false WHERE name = 't_verbs';
SELECT wait_agent(:scheduled) ->> 'text' AS text, wait_agent(:waiting) ->> 'text' AS text;
SELECT enqueue_agent('t_verbs', '{"text": "twice"}', delay => '1 hour') AS twice \gset
SELECT cancel_agent(:twice);
SELECT retry_agent(:twice);
SELECT wait_agent(:twice) ->> 'text' AS text;
UPDATE agent_queues SET paused = true WHERE name = 't_verbs';

-- A job that never expires stays so; one whose agent type is gone stays failed.
SELECT id AS for_ever FROM enqueue_agents('t_verbs', ARRAY[jsonb '{"text": "for ever"}']) AS id \gset
SELECT cancel_agent(:for_ever), retry_agent(:for_ever);
SELECT status, expires_at FROM agent_queue WHERE id = :for_ever;
SELECT enqueue_agent('t_verbs_gone', '{"text": "gone"}') AS gone \gset
SELECT cancel_agent(:gone);
DELETE FROM agent_types WHERE name = 't_verbs_gone';
SELECT retry_agent(:gone);
\echo :SQLSTATE
SELECT status, error_code FROM agent_queue WHERE id = :gone;

-- Jobs that wait for adopt_jobs() can be cancelled, and a retry is a word of its own: it gives them a place in line.
INSERT INTO agent_queue (id, agent_type, queue, request_data, status)
VALUES (920001, 't_verbs', 't_verbs', '{"text": "restored"}', 'processing');
SELECT claim_key, cancel_agent(id) FROM agent_queue WHERE id = 920001;
SELECT retry_agent(920001);
SELECT status, claim_key IS NOT NULL AS has_place FROM agent_queue WHERE id = 920001;

-- Rolled back, also to a savepoint: nothing has happened.
SELECT enqueue_agent('t_verbs', '{"text": "kept"}') AS kept \gset
BEGIN;
SELECT cancel_agent(:kept);
ROLLBACK;
SELECT status FROM agent_queue WHERE id = :kept;
BEGIN;
SAVEPOINT one;
SELECT cancel_agent(:kept);
ROLLBACK TO one;
SELECT status FROM agent_queue WHERE id = :kept;
SELECT cancel_agent(:kept);
SAVEPOINT two;
SELECT retry_agent(:kept);
SELECT cancel_agent(:kept);
SELECT retry_agent(:kept);
ROLLBACK TO two;
COMMIT;
SELECT status FROM agent_queue WHERE id = :kept;
-- Its own, uncommitted job.
BEGIN;
SELECT enqueue_agent('t_verbs', '{"text": "own"}') AS own \gset
SELECT cancel_agent(:own);
COMMIT;
SELECT status, error_code FROM agent_queue WHERE id = :own;

-- Whose job: the owner's and of who may act for others; for the rest it is not there.
CREATE ROLE regress_agent_client;
CREATE ROLE regress_agent_service BYPASSRLS;
SELECT grant_agent_access('regress_agent_client');
SELECT grant_agent_access('regress_agent_service');
SELECT enqueue_agent('t_verbs', '{"text": "a1"}', '00000000-0000-0000-0000-0000000000a1') AS of_a1 \gset
SELECT enqueue_agent('t_verbs', '{"text": "system"}') AS of_system \gset
SET ROLE regress_agent_client;
SELECT cancel_agent(:of_a1);
\echo :SQLSTATE
SET agent_queue.user_id = '00000000-0000-0000-0000-0000000000a2';
SELECT cancel_agent(:of_a1);
SELECT cancel_agent(:of_system);
SET agent_queue.user_id = '00000000-0000-0000-0000-0000000000a1';
SELECT cancel_agent(:of_a1), retry_agent(:of_a1), cancel_agent(:of_a1);
SELECT retry_agent(:of_system);
RESET agent_queue.user_id;
SET ROLE regress_agent_service;
SELECT cancel_agent(:of_system), retry_agent(:of_a1);
RESET ROLE;
-- What the caller cannot see is not there either.
REVOKE SELECT ON agent_queue FROM regress_agent_client;
SET ROLE regress_agent_client;
SELECT cancel_agent(:of_a1);
\echo :SQLSTATE
RESET ROLE;

-- A trigger on the table runs as the extension's owner, whoever calls, and may say no.
CREATE FUNCTION t_verbs_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.request_data ->> 'text' = 'a1' THEN
        RETURN NULL;
    END IF;
    NEW.error_message := current_user::text = (SELECT extowner::regrole::text FROM pg_extension WHERE extname = 'agent_queue');
    RETURN NEW;
END
$$;
CREATE TRIGGER t_verbs_trigger BEFORE UPDATE ON agent_queue FOR EACH ROW EXECUTE FUNCTION t_verbs_trigger();
SELECT cancel_agent(:of_a1);
\echo :SQLSTATE
GRANT SELECT ON agent_queue TO regress_agent_client;
SELECT enqueue_agent('t_verbs', '{"text": "a3"}', '00000000-0000-0000-0000-0000000000a3') AS of_a3 \gset
SET ROLE regress_agent_client;
SET agent_queue.user_id = '00000000-0000-0000-0000-0000000000a3';
SELECT cancel_agent(:of_a3);
RESET agent_queue.user_id;
RESET ROLE;
SELECT error_message AS ran_as_the_owner FROM agent_queue WHERE id = :of_a3;
DROP TRIGGER t_verbs_trigger ON agent_queue;
DROP FUNCTION t_verbs_trigger();

DELETE FROM agent_queue WHERE agent_type IN ('t_verbs', 't_verbs_gone');
DELETE FROM agent_routes WHERE agent_type = 't_verbs';
DELETE FROM agent_types WHERE name = 't_verbs';
DELETE FROM agent_queues WHERE name = 't_verbs';
SELECT revoke_agent_access('regress_agent_client');
SELECT revoke_agent_access('regress_agent_service');
DROP ROLE regress_agent_client, regress_agent_service;
