-- One line for the progress bar. Variable: first, the first id of the run.
SELECT count(*), count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'failed'),
       count(*) FILTER (WHERE status = 'processing'),
       round(extract(epoch FROM clock_timestamp() - min(created_at))::numeric, 1)
FROM agent_queue
WHERE id >= :first;
