-- The queues at a glance. Tested in sql/enqueue.sql.
--
-- Waiting, active and scheduled come from the partial indexes, the wait times from the end of the primary key. The
-- counts of finished jobs read the whole table, and the planner leaves them out of a query that does not select them
-- (a left join to something grouped by the join key): a monitor of a large table names the columns it needs.
CREATE OR REPLACE VIEW @extschema@.queue_stats WITH (security_invoker = true) AS
WITH recent AS (
    SELECT j.queue, greatest(j.started_at - j.run_at, interval '0') AS wait
    FROM @extschema@.agent_queue AS j
    WHERE j.started_at IS NOT NULL
    ORDER BY j.id DESC
    LIMIT 1000
)
SELECT open.queue,
       open.waiting,
       open.active,
       open.scheduled,
       coalesce(finished.completed, 0) AS completed,
       coalesce(finished.failed, 0) AS failed,
       open.oldest,
       waits.percentiles[1] AS wait_p50,
       waits.percentiles[2] AS wait_p95
FROM (
    SELECT o.queue,
           count(*) FILTER (WHERE o.status = 'pending') AS waiting,
           count(*) FILTER (WHERE o.status = 'processing') AS active,
           count(*) FILTER (WHERE o.status = 'scheduled') AS scheduled,
           min(o.run_at) FILTER (WHERE o.status = 'pending') AS oldest
    FROM (
        SELECT j.queue, j.status, j.run_at FROM @extschema@.agent_queue AS j
        WHERE j.status = 'pending' AND j.claim_key IS NOT NULL
        UNION ALL
        SELECT j.queue, j.status, j.run_at FROM @extschema@.agent_queue AS j
        WHERE j.status IN ('scheduled', 'processing') AND j.claim_key IS NOT NULL
        UNION ALL
        SELECT q.name, NULL, NULL FROM @extschema@.agent_queues AS q
        UNION ALL
        SELECT r.queue, NULL, NULL FROM recent AS r
    ) AS o
    GROUP BY o.queue
) AS open
LEFT JOIN (
    SELECT r.queue, percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY r.wait) AS percentiles
    FROM recent AS r
    GROUP BY r.queue
) AS waits ON waits.queue = open.queue
LEFT JOIN (
    SELECT j.queue,
           count(*) FILTER (WHERE j.status = 'completed') AS completed,
           count(*) FILTER (WHERE j.status = 'failed') AS failed
    FROM @extschema@.agent_queue AS j
    WHERE j.status IN ('completed', 'failed')
    GROUP BY j.queue
) AS finished ON finished.queue = open.queue;

COMMENT ON VIEW @extschema@.queue_stats IS
    'One row per queue of agent_queues, and per other queue with jobs that are not finished or were started lately. '
    'Jobs that wait for adopt_jobs() are in no count';
COMMENT ON COLUMN @extschema@.queue_stats.waiting IS 'Jobs that may run now';
COMMENT ON COLUMN @extschema@.queue_stats.active IS 'Jobs whose call is under way';
COMMENT ON COLUMN @extschema@.queue_stats.scheduled IS 'Jobs that wait for their time';
COMMENT ON COLUMN @extschema@.queue_stats.completed IS
    'Completed jobs that are still kept; reads the whole table, where it is selected';
COMMENT ON COLUMN @extschema@.queue_stats.failed IS
    'Failed jobs that are still kept; reads the whole table, where it is selected';
COMMENT ON COLUMN @extschema@.queue_stats.oldest IS 'Since when the oldest waiting job could run; NULL: none waits';
COMMENT ON COLUMN @extschema@.queue_stats.wait_p50 IS
    'Half of the last 1,000 started jobs (of all queues together) waited no longer';
COMMENT ON COLUMN @extschema@.queue_stats.wait_p95 IS
    '95 % of the last 1,000 started jobs (of all queues together) waited no longer';
