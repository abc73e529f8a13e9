-- The test functions of the boundary between C++ and Postgres (src/pg/api/boundary_test.hpp). Run as superuser: they are
-- LANGUAGE C. \ir this file where they are needed; drop them with DROP SCHEMA boundary_test CASCADE.
CREATE SCHEMA boundary_test;

-- kind: runtime_error, bad_alloc, int, pg_error, guarded
CREATE FUNCTION boundary_test.throw(kind text) RETURNS void
    LANGUAGE C STRICT AS '$libdir/agent_queue', 'aq_test_throw';
-- Objects that live: 0 between two calls
CREATE FUNCTION boundary_test.live_objects() RETURNS int
    LANGUAGE C AS '$libdir/agent_queue', 'aq_test_counts';
-- All memory contexts of this process
CREATE FUNCTION boundary_test.context_bytes() RETURNS bigint
    LANGUAGE C AS '$libdir/agent_queue', 'aq_test_context_bytes';
-- Each kind ten thousand times through both doors, in this session
CREATE FUNCTION boundary_test.self_test() RETURNS void
    LANGUAGE C AS '$libdir/agent_queue', 'aq_test_self';
-- The same in a background worker: 'passed', or what went wrong
CREATE FUNCTION boundary_test.worker() RETURNS text
    LANGUAGE C AS '$libdir/agent_queue', 'aq_test_worker';

-- Throws one kind `rounds` times, each caught by the block around it; returns by how many bytes memory grew meanwhile.
-- The first hundred rounds do not count: they fill caches.
CREATE FUNCTION boundary_test.growth(kind text, rounds int) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    bytes_before bigint;
    bytes bigint;
BEGIN
    FOR i IN 1 .. 100 + rounds LOOP
        BEGIN
            PERFORM boundary_test.throw(kind);
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
        bytes := boundary_test.context_bytes();
        IF i <= 100 THEN
            bytes_before := bytes;
        END IF;
    END LOOP;
    RETURN bytes - bytes_before;
END
$$;
