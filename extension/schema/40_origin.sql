-- Which database this installation belongs to. Not dumped: a restore makes a new installation. A copy of the files (a
-- template, a base backup started elsewhere) finds another database here, and its workers wait for adopt_jobs().
CREATE TABLE @extschema@.agent_queue_origin (
    system_identifier  bigint NOT NULL,
    database_oid       oid NOT NULL,
    is_history_adopted boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX agent_queue_origin_is_one_row ON @extschema@.agent_queue_origin ((true));

INSERT INTO @extschema@.agent_queue_origin (system_identifier, database_oid)
SELECT control.system_identifier, database.oid
FROM pg_catalog.pg_control_system() AS control, pg_catalog.pg_database AS database
WHERE database.datname = pg_catalog.current_database();

COMMENT ON TABLE @extschema@.agent_queue_origin IS
    'One row: the cluster and database that this installation belongs to. In a copy nothing runs before adopt_jobs()';
COMMENT ON COLUMN @extschema@.agent_queue_origin.is_history_adopted IS
    'adopt_jobs() was called: finished jobs that were restored or replicated fall under the queues'' retention, too';
