-- Rolled back is as if it had never been: savepoints and blocks that catch errors leave no job, and wake nobody.
INSERT INTO agent_types (name) VALUES ('t_savepoints');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_savepoints', 'echo', 'echo');
-- Both workers are there and the sum of their wake-ups is at rest: nothing of what ran before counts here.
DO $$
BEGIN
    WHILE (SELECT count(*) FROM agent_workers) < 2 LOOP PERFORM pg_sleep(0.01); END LOOP;
END
$$;
CREATE FUNCTION wakeups() RETURNS numeric LANGUAGE sql AS 'SELECT sum(wakeups) FROM agent_workers';
SELECT pg_sleep(0.3);
SELECT wakeups() AS before \gset

-- A commit with nothing but a rolled back savepoint in it.
BEGIN;
SAVEPOINT one;
SELECT enqueue_agent('t_savepoints', '{"text": "rolled back"}') AS id \gset
SELECT count(*) AS seen_inside FROM agent_queue WHERE id = :id;
ROLLBACK TO one;
SELECT count(*) AS seen_after FROM agent_queue WHERE id = :id;
COMMIT;
SELECT wakeups() - :before AS wakeups;

-- Released inside one that is rolled back.
BEGIN;
SAVEPOINT outer_one;
SAVEPOINT inner_one;
INSERT INTO agent_queue (agent_type, request_data) VALUES ('t_savepoints', '{"text": "rolled back"}');
RELEASE inner_one;
SELECT count(*) FROM enqueue_agents('t_savepoints', ARRAY['{"text": "rolled back"}', '{"text": "rolled back"}']::jsonb[]);
ROLLBACK TO outer_one;
COMMIT;
SELECT wakeups() - :before AS wakeups;

-- A block that catches an error.
DO $$
BEGIN
    PERFORM enqueue_agent('t_savepoints', '{"text": "rolled back"}');
    PERFORM enqueue_agent('t_savepoints', '{"text": "rolled back"}', delay => '1 hour');
    RAISE EXCEPTION 'changed my mind';
EXCEPTION WHEN raise_exception THEN
    RAISE NOTICE 'caught: %', SQLERRM;
END
$$;
SELECT wakeups() - :before AS wakeups;

-- The whole transaction, and one that fails at its end.
BEGIN;
SELECT enqueue_agent('t_savepoints', '{"text": "rolled back"}') IS NOT NULL AS has_id;
ROLLBACK;
CREATE TABLE savepoints_fail (n int UNIQUE DEFERRABLE INITIALLY DEFERRED);
BEGIN;
INSERT INTO savepoints_fail VALUES (1), (1);
SELECT enqueue_agent('t_savepoints', '{"text": "rolled back"}') IS NOT NULL AS has_id;
COMMIT;
DROP TABLE savepoints_fail;
SELECT wakeups() - :before AS wakeups;

-- Prepared and rolled back.
BEGIN;
SELECT enqueue_agent('t_savepoints', '{"text": "rolled back"}') IS NOT NULL AS has_id;
PREPARE TRANSACTION 'regress_agent_queue';
SELECT wakeups() - :before AS wakeups;
ROLLBACK PREPARED 'regress_agent_queue';
SELECT wakeups() - :before AS wakeups;
SELECT count(*) AS jobs FROM agent_queue WHERE agent_type = 't_savepoints';

-- Prepared and committed: no session tells the workers, and they find it by themselves.
BEGIN;
SELECT enqueue_agent('t_savepoints', '{"text": "prepared"}') AS id \gset
PREPARE TRANSACTION 'regress_agent_queue';
SELECT count(*) AS seen_before FROM agent_queue WHERE id = :id;
COMMIT PREPARED 'regress_agent_queue';
SELECT wait_agent(:id) ->> 'text' AS text;

-- What was not rolled back runs, and only that.
BEGIN;
SELECT enqueue_agent('t_savepoints', '{"text": "first"}') AS first_id \gset
SAVEPOINT one;
SELECT enqueue_agent('t_savepoints', '{"text": "rolled back"}') IS NOT NULL AS has_id;
ROLLBACK TO one;
SELECT enqueue_agent('t_savepoints', '{"text": "again"}') AS again_id \gset
RELEASE one;
SAVEPOINT two;
SELECT enqueue_agent('t_savepoints', '{"text": "released"}') AS released_id \gset
RELEASE two;
COMMIT;
SELECT wait_agent(:first_id) ->> 'text' AS first, wait_agent(:again_id) ->> 'text' AS again,
       wait_agent(:released_id) ->> 'text' AS released;
SELECT request_data ->> 'text' AS text, status FROM agent_queue WHERE agent_type = 't_savepoints' ORDER BY id;

-- A released savepoint wakes at commit, so the count above can move. A worker that happens to be busy is not woken: a
-- hundred tries.
DO $$
DECLARE
    before numeric := wakeups();
    tries int := 0;
BEGIN
    WHILE wakeups() = before AND tries < 100 LOOP
        BEGIN
            PERFORM enqueue_agent('t_savepoints', '{"text": "counted"}', delay => '1 hour');
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
        COMMIT;
        tries := tries + 1;
    END LOOP;
    RAISE NOTICE 'woken: %', wakeups() > before;
END
$$;

DROP FUNCTION wakeups();
DELETE FROM agent_queue WHERE agent_type = 't_savepoints';
DELETE FROM agent_routes WHERE agent_type = 't_savepoints';
DELETE FROM agent_types WHERE name = 't_savepoints';
