-- The windows of rate limits that count something now. Tested in sql/rate_limits.sql.
CREATE OR REPLACE VIEW @extschema@.rate_limits WITH (security_invoker = true) AS
SELECT w.kind, w.user_id, w.endpoint, w.namespace, w.used, w.max_requests, w.window_seconds, w.free_at, w.blocked,
       w.last_used
FROM @extschema@.agent_queue_rate_limits() AS w
ORDER BY w.free_at IS NOT NULL DESC, w.blocked DESC, w.used DESC, w.last_used DESC;

COMMENT ON VIEW @extschema@.rate_limits IS
    'The live windows of rate limits, those that are full, were refused most or are used most first. A user sees the '
    'own ones';
COMMENT ON COLUMN @extschema@.rate_limits.kind IS
    'Whose requests are counted: user, or system (at an endpoint), agent_type or queue (of all users together)';
COMMENT ON COLUMN @extschema@.rate_limits.user_id IS 'Of kind user';
COMMENT ON COLUMN @extschema@.rate_limits.endpoint IS
    'The endpoint, the agent type or the queue; of a long name the first 76 bytes';
COMMENT ON COLUMN @extschema@.rate_limits.namespace IS
    'jobs: counted at enqueue; checks: by check_rate_limit()';
COMMENT ON COLUMN @extschema@.rate_limits.used IS 'Requests that count now';
COMMENT ON COLUMN @extschema@.rate_limits.max_requests IS 'The limit that held for the last request';
COMMENT ON COLUMN @extschema@.rate_limits.window_seconds IS 'Its window';
COMMENT ON COLUMN @extschema@.rate_limits.free_at IS
    'When the next request will be accepted; NULL: it would be now; infinity: not under this limit';
COMMENT ON COLUMN @extschema@.rate_limits.blocked IS 'Refused requests since the window began';
