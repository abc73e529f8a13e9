-- An empty queue with :jobs waiting jobs of about :bytes bytes.
TRUNCATE agent_queue;
TRUNCATE api_usage;
SELECT count(*)
FROM enqueue_agents(
    'bench',
    (SELECT array_agg(jsonb_build_object('prompt',
                                         rpad(n || '. ', :bytes, 'An order came late and damaged, says the letter. ')))
     FROM generate_series(1, :jobs) AS n));
VACUUM ANALYZE agent_queue;
CHECKPOINT;
