-- Enqueues the demo's jobs in one statement and prints the first id. Variables: those of jobs.sql.
\ir jobs.sql
WITH ids AS (
    SELECT enqueue_agents(batch.agent_type, batch.requests) AS id
    FROM (SELECT j.agent_type, array_agg(j.request) AS requests FROM demo_jobs AS j GROUP BY j.agent_type) AS batch
)
SELECT min(ids.id) FROM ids;
