-- Queues are rows of agent_queues; these two say what an administrator does most often. Tested in sql/queues.sql.
CREATE OR REPLACE FUNCTION @extschema@.pause_queue(
    -- a name in agent_queues
    queue text
) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE @extschema@.agent_queues AS q SET paused = true WHERE q.name = pause_queue.queue AND NOT q.paused;
    IF NOT FOUND AND NOT EXISTS (SELECT FROM @extschema@.agent_queues AS q WHERE q.name = pause_queue.queue) THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('queue "%s" does not exist', pause_queue.queue),
            HINT = 'Queues are the rows of agent_queues.';
    END IF;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION @extschema@.pause_queue(text) IS
    'Jobs of the queue are taken in and not called any more; calls under way are finished. '
    'True: it was open; 42704: there is no such queue. From the commit on';

CREATE OR REPLACE FUNCTION @extschema@.resume_queue(
    -- a name in agent_queues
    queue text
) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE @extschema@.agent_queues AS q SET paused = false WHERE q.name = resume_queue.queue AND q.paused;
    IF NOT FOUND AND NOT EXISTS (SELECT FROM @extschema@.agent_queues AS q WHERE q.name = resume_queue.queue) THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('queue "%s" does not exist', resume_queue.queue),
            HINT = 'Queues are the rows of agent_queues.';
    END IF;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION @extschema@.resume_queue(text) IS
    'Jobs of the queue are called again, in their order. True: it was paused; 42704: there is no such queue. '
    'From the commit on';
