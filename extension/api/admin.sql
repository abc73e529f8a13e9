-- For the administrator.
CREATE OR REPLACE FUNCTION @extschema@.adopt_jobs() RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'aq_adopt_jobs';
COMMENT ON FUNCTION @extschema@.adopt_jobs() IS
    'Lets restored, replicated and hand-inserted jobs run, and makes this database their home; returns their number. '
    'From then on they cost money';

CREATE OR REPLACE FUNCTION @extschema@.agent_queue_version() RETURNS text
    LANGUAGE C STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'aq_version';
COMMENT ON FUNCTION @extschema@.agent_queue_version() IS 'The version of the loaded library';

CREATE OR REPLACE FUNCTION @extschema@.agent_queue_workers(
    -- process id
    OUT pid int,
    -- number of this worker since the server started; part of its claims
    OUT incarnation bigint,
    -- what it does now
    OUT state text,
    -- calls under way
    OUT in_flight int,
    -- jobs claimed so far
    OUT claimed bigint,
    -- jobs settled so far
    OUT settled bigint,
    -- settle and claim transactions so far
    OUT rounds bigint,
    -- times it was woken so far
    OUT wakeups bigint,
    -- jobs rescued from dead workers so far
    OUT rescued bigint,
    -- transactions that failed so far
    OUT store_failures bigint,
    -- when the process started
    OUT started_at timestamptz,
    -- when its last transaction ended
    OUT last_round_at timestamptz
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10
    AS 'MODULE_PATHNAME', 'aq_workers';
COMMENT ON FUNCTION @extschema@.agent_queue_workers() IS
    'The workers of the current database, from shared memory; see agent_workers';
