-- Completed jobs with their price, and the usage rows of them.
SELECT (SELECT count(*) FROM agent_queue WHERE status = 'completed' AND result IS NOT NULL AND cost_usd > 0),
       (SELECT count(*) FROM api_usage WHERE cost_usd > 0);
