-- Enqueue, wait, cancel and retry. Documented with named arguments only, so that parameters can be added.
CREATE OR REPLACE FUNCTION @extschema@.enqueue_agent(
    -- agent_types.name
    agent_type text,
    -- the request: an object with messages, prompt, text or the fields of the prompt template
    request jsonb,
    -- whose job it is; NULL: the caller's, or the system's where the caller may
    user_id uuid DEFAULT NULL,
    -- 1 to 10, 1 first; NULL: the agent type's
    priority int DEFAULT NULL,
    -- not called before now() + delay
    delay interval DEFAULT '0',
    -- how long it may wait for its call, from when it may run; NULL: as the agent type says
    expires_in interval DEFAULT NULL,
    -- 0 to 100; NULL: the agent type's
    max_retries int DEFAULT NULL,
    -- true: call even if a cached answer is at hand
    skip_cache boolean DEFAULT false,
    -- the same key of the same user again is the same job; NULL: none
    idempotency_key text DEFAULT NULL,
    -- NULL: the agent type's
    queue text DEFAULT NULL
) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'aq_enqueue_agent';
COMMENT ON FUNCTION
    @extschema@.enqueue_agent(text, jsonb, uuid, int, interval, interval, int, boolean, text, text) IS
    'Puts one job into the queue, as part of the current transaction, and returns its id '
    '(granted by grant_agent_access)';

CREATE OR REPLACE FUNCTION @extschema@.enqueue_agents(
    -- agent_types.name
    agent_type text,
    -- the requests, one job each; none may be NULL
    requests jsonb[],
    -- whose jobs they are; NULL: the caller's, or the system's where the caller may
    user_id uuid DEFAULT NULL,
    -- 1 to 10, 1 first; NULL: the agent type's
    priority int DEFAULT NULL,
    -- not called before now() + delay
    delay interval DEFAULT '0',
    -- how long they may wait for their calls, from when they may run; NULL: for ever
    expires_in interval DEFAULT NULL,
    -- 0 to 100; NULL: the agent type's
    max_retries int DEFAULT NULL,
    -- true: call even if cached answers are at hand
    skip_cache boolean DEFAULT false,
    -- request number n gets this key with ':n' behind it; NULL: none
    idempotency_key text DEFAULT NULL,
    -- NULL: the agent type's
    queue text DEFAULT NULL
) RETURNS SETOF bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1000
    AS 'MODULE_PATHNAME', 'aq_enqueue_agents';
COMMENT ON FUNCTION
    @extschema@.enqueue_agents(text, jsonb[], uuid, int, interval, interval, int, boolean, text, text) IS
    'Puts many jobs into the queue, all or none, and returns their ids in the order of the requests. '
    'Unlike with enqueue_agent, expires_in NULL means never: a bulk may wait long (granted by grant_agent_access)';

CREATE OR REPLACE FUNCTION @extschema@.wait_agent(
    -- agent_queue.id
    id bigint,
    -- how long to wait before giving up; the job goes on all the same
    timeout interval DEFAULT '30 seconds'
) RETURNS jsonb
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'aq_wait_agent';
COMMENT ON FUNCTION @extschema@.wait_agent(bigint, interval) IS
    'Waits until the job is finished and returns its result, or raises an error with the job''s error. '
    'The job must have been committed before (granted by grant_agent_access)';

-- No SET clause: it would make the call atomic, and the procedure could not commit. It qualifies every name itself.
CREATE OR REPLACE PROCEDURE @extschema@.run_agent(
    -- agent_types.name
    agent_type text,
    -- the request: an object with messages, prompt, text or the fields of the prompt template
    request jsonb,
    -- out: the result. What is given in is not looked at
    INOUT result jsonb DEFAULT NULL,
    -- whose job it is; NULL: the caller's, or the system's where the caller may
    user_id uuid DEFAULT NULL,
    -- 1 to 10, 1 first; NULL: the agent type's
    priority int DEFAULT NULL,
    -- how long it may wait for its call; NULL: as the agent type says
    expires_in interval DEFAULT NULL,
    -- 0 to 100; NULL: the agent type's
    max_retries int DEFAULT NULL,
    -- true: call even if a cached answer is at hand
    skip_cache boolean DEFAULT false,
    -- the same key of the same user again is the same job; NULL: none
    idempotency_key text DEFAULT NULL,
    -- NULL: the agent type's
    queue text DEFAULT NULL,
    -- how long to wait before giving up; the job goes on all the same
    timeout interval DEFAULT '30 seconds'
)
    LANGUAGE C
    AS 'MODULE_PATHNAME', 'aq_run_agent';
COMMENT ON PROCEDURE
    @extschema@.run_agent(text, jsonb, jsonb, uuid, int, interval, int, boolean, text, text, interval) IS
    'Puts one job into the queue, commits, waits until it is finished and returns its result, or raises an error with '
    'the job''s error. Outside of transaction blocks only (granted by grant_agent_access)';

CREATE OR REPLACE FUNCTION @extschema@.cancel_agent(
    -- agent_queue.id
    id bigint
) RETURNS boolean
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'aq_cancel_agent';
COMMENT ON FUNCTION @extschema@.cancel_agent(bigint) IS
    'Ends a job, as part of the current transaction; at commit its running call is broken off. '
    'True: this call ended it; false: it had ended already (granted by grant_agent_access)';

CREATE OR REPLACE FUNCTION @extschema@.retry_agent(
    -- agent_queue.id
    id bigint
) RETURNS boolean
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'aq_retry_agent';
COMMENT ON FUNCTION @extschema@.retry_agent(bigint) IS
    'Lets a failed job run again, with all its retries. True: it is pending now; false: it has not failed (granted by grant_agent_access)';

CREATE OR REPLACE FUNCTION @extschema@.agent_stream(
    -- agent_queue.id
    id bigint
) RETURNS text
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'aq_agent_stream';
COMMENT ON FUNCTION @extschema@.agent_stream(bigint) IS
    'The text so far of a streamed answer that is under way (agent_types.stream), the whole "text" of the result when '
    'the job is completed; NULL: nothing yet (granted by grant_agent_access)';
