-- Rate limits, for an application's own requests and to look at. The windows live in shared memory.
CREATE OR REPLACE FUNCTION @extschema@.check_rate_limit(
    -- who asks; NULL: the caller, or the system where the caller may
    p_user_id uuid,
    -- what is asked for: any name of up to 200 characters
    p_endpoint varchar,
    -- 0 to 1,000,000; NULL: as the user's tier says for this endpoint (agent_limits), 10 a minute where it says nothing
    p_max_requests int DEFAULT NULL,
    -- 1 to 60: the window of p_max_requests; a tier's rule has its own. Each limit given counts in a window of its own
    p_window_minutes int DEFAULT 1
) RETURNS boolean
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'aq_check_rate_limit';
COMMENT ON FUNCTION @extschema@.check_rate_limit(uuid, varchar, int, int) IS
    'True: the request is accepted and counted; false: the limit is reached. Never more than p_max_requests are '
    'accepted in any span of the window. Jobs are counted apart from it (granted by grant_agent_access)';

CREATE OR REPLACE FUNCTION @extschema@.agent_queue_rate_limits(
    -- whose requests are counted: user, system, agent_type or queue
    OUT kind text,
    -- of kind user
    OUT user_id uuid,
    -- the endpoint, the agent type or the queue; its first 76 bytes
    OUT endpoint text,
    -- jobs or checks
    OUT namespace text,
    -- requests that count now
    OUT used int,
    -- the limit that held for the last request
    OUT max_requests int,
    -- its window
    OUT window_seconds int,
    -- when the next request will be accepted; NULL: it would be now; infinity: not under this limit
    OUT free_at timestamptz,
    -- refused requests since the window began
    OUT blocked bigint,
    -- when it was last asked
    OUT last_used timestamptz
) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 1000
    AS 'MODULE_PATHNAME', 'aq_rate_windows';
COMMENT ON FUNCTION @extschema@.agent_queue_rate_limits() IS
    'The rows of the view rate_limits: the caller''s own, or all of this database for who may act for others '
    '(granted by grant_agent_access)';
