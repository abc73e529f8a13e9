-- The two doors between C++ and Postgres: every kind of exception arrives as an error with all its parts, destructors
-- run, and nothing grows. The functions are the library's own tests of itself.
\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set boundary_functions :srcdir '/test/support/boundary_functions.sql'
\i :boundary_functions
\set ECHO all

-- Every kind: SQLSTATE, message, DETAIL and HINT arrive whole.
CREATE FUNCTION boundary_test.arrival(kind text, OUT state text, OUT message text, OUT detail text, OUT hint text,
                                      OUT live_objects int)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM boundary_test.throw(kind);
    state := 'nothing was raised';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT;
    live_objects := boundary_test.live_objects();
END
$$;
SELECT kind, a.*
FROM unnest(ARRAY['runtime_error', 'bad_alloc', 'int', 'pg_error', 'guarded', 'another']) WITH ORDINALITY AS k (kind, n),
     boundary_test.arrival(kind) AS a
ORDER BY n;

-- Without anybody who catches: the statement fails, the session goes on.
SELECT boundary_test.throw('runtime_error');
SELECT boundary_test.throw('pg_error');
SELECT boundary_test.throw('guarded');
BEGIN;
SELECT boundary_test.throw('int');
ROLLBACK;
SELECT boundary_test.live_objects();

-- Ten thousand times each, caught by a block: no object is left, and no memory of any size that grows with the rounds.
SELECT kind, boundary_test.growth(kind, 10000) < 10000 AS stays, boundary_test.live_objects()
FROM unnest(ARRAY['runtime_error', 'bad_alloc', 'int', 'pg_error', 'guarded']) AS kind;

-- Through both doors in either order, in this session and in a worker.
SELECT boundary_test.self_test();
SELECT boundary_test.worker();
SELECT boundary_test.live_objects();

\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA boundary_test CASCADE;
