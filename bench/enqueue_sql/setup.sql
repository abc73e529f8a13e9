-- The table that enqueuing is compared with: the queue's columns, defaults, checks, indexes and storage, without its
-- triggers.
DROP TABLE IF EXISTS bare;
CREATE TABLE bare (LIKE agent_queue INCLUDING ALL);
DO $$
BEGIN
    EXECUTE format('ALTER TABLE bare SET (%s)',
                   (SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = 'agent_queue'::regclass));
END
$$;
