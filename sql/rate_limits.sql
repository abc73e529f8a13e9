-- Rate limits: at enqueue, whichever way a job comes, and by check_rate_limit(). Delayed by an hour, so that no worker
-- touches the jobs; the windows are of a minute and more, the test of a second. Restarts, crashes, many sessions, full
-- memory and other databases are in test/tap/300_rate_limits.pl.
\set SHOW_CONTEXT never
INSERT INTO agent_queues (name) VALUES ('t_rate');
INSERT INTO agent_queues (name, max_requests, window_seconds) VALUES ('t_rate_narrow', 3, 120);
INSERT INTO agent_types (name, queue) VALUES ('t_rate', 't_rate'), ('t_rate_other', 't_rate');
INSERT INTO agent_types (name, queue, endpoint) VALUES ('t_rate_a', 't_rate', 't_rate_shared'), ('t_rate_b', 't_rate', 't_rate_shared');
INSERT INTO agent_types (name, queue, max_requests, window_seconds) VALUES ('t_rate_whole', 't_rate', 4, 600);
INSERT INTO agent_tiers (name) VALUES ('t_rate');
INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('t_rate', 't_rate', 5), ('t_rate', '*', 2), ('t_rate', 't_rate_closed', 0);
INSERT INTO agent_limits (tier, endpoint, max_requests, window_seconds) VALUES
    ('t_rate', 't_rate_shared', 4, 300), ('t_rate', 't_rate_many', 5000, 3600), ('t_rate', 't_rate_whole', 1000, 60);
-- Users 1 to 30 are of the tier t_rate, 80 has no row and is free, 90 is unlimited, the tier of 91 does not exist.
CREATE FUNCTION u(n int) RETURNS uuid LANGUAGE sql AS $$SELECT ('00000000-0000-0000-0000-00000000e0' || lpad(n::text, 2, '0'))::uuid$$;
INSERT INTO agent_users (user_id, tier) SELECT u(n), 't_rate' FROM generate_series(1, 30) AS n;
INSERT INTO agent_users (user_id, tier) VALUES (u(90), 'superadmin'), (u(91), 't_rate_gone');
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 970001;

-- How often a statement goes through, each time in a subtransaction that is kept; and what it says when it does not,
-- without the seconds that go by.
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || SQLERRM,
                     regexp_replace(detail, '(retry_after_seconds":)\d+', '\1N'),
                     regexp_replace(hint, 'in \d+ seconds', 'in N seconds'));
END
$$;
CREATE FUNCTION accepted(statement text, tries int) RETURNS int LANGUAGE sql AS
    $$SELECT count(*) FILTER (WHERE refusal(statement) = 'accepted') FROM generate_series(1, tries)$$;
CREATE FUNCTION enqueue_sql(agent_type text, n int) RETURNS text LANGUAGE sql AS
    $$SELECT format('SELECT enqueue_agent(%L, ''{"text": "x"}'', %L, delay => ''1 hour'')', agent_type, u(n))$$;
CREATE FUNCTION used(n int, endpoint text, namespace text DEFAULT 'jobs') RETURNS int LANGUAGE sql AS $$
    SELECT coalesce(sum(r.used), 0) FROM rate_limits AS r
    WHERE r.user_id = u(n) AND r.endpoint = $2 AND r.namespace = $3
$$;

-- The rule of the endpoint; the tier's "*"; none: 10 a minute; free has none for it either; unlimited.
SELECT accepted(enqueue_sql('t_rate', 1), 8) AS rule, accepted(enqueue_sql('t_rate_other', 1), 8) AS star,
       accepted(enqueue_sql('t_rate', 80), 15) AS free, accepted(enqueue_sql('t_rate', 90), 30) AS unlimited;
SELECT refusal(enqueue_sql('t_rate', 1));
SELECT count(*) AS jobs FROM agent_queue WHERE user_id = u(1) AND agent_type = 't_rate';
-- A plain INSERT passes the same door, and so does run_agent, before it commits.
SELECT refusal(format('INSERT INTO agent_queue (user_id, agent_type, request_data) VALUES (%L, %L, %L)', u(1), 't_rate', '{"text": "x"}'));
\set VERBOSITY terse
CALL run_agent('t_rate_other', '{"text": "x"}', user_id => u(1));
\set VERBOSITY default
\echo :SQLSTATE
-- The endpoint is that of the agent type: two types share one.
SELECT accepted(enqueue_sql('t_rate_a', 2), 3) AS a, accepted(enqueue_sql('t_rate_b', 2), 3) AS b;
SELECT refusal(enqueue_sql('t_rate_b', 2));

-- The agent type as a whole and the queue as a whole, over all users, the unlimited ones and the system.
SELECT accepted(enqueue_sql('t_rate_whole', 3), 1) AS one, accepted(enqueue_sql('t_rate_whole', 4), 1) AS another,
       accepted(enqueue_sql('t_rate_whole', 90), 1) AS unlimited,
       accepted($$SELECT enqueue_agent('t_rate_whole', '{"text": "x"}', delay => '1 hour')$$, 5) AS system;
SELECT refusal(enqueue_sql('t_rate_whole', 5));
SELECT accepted($$SELECT enqueue_agent('t_rate', '{"text": "x"}', delay => '1 hour', queue => 't_rate_narrow')$$, 5) AS queue;
SELECT refusal($$SELECT enqueue_agent('t_rate', '{"text": "x"}', delay => '1 hour', queue => 't_rate_narrow')$$);
-- Where one of them refuses, nothing is charged in the others.
SELECT used(5, 't_rate_whole') AS of_the_refused, used(3, 't_rate_whole') AS of_the_accepted;

-- Nothing that is rolled back has been asked: a transaction, a savepoint, a block that catches an error, an error.
BEGIN;
SELECT accepted(enqueue_sql('t_rate', 6), 2);
SAVEPOINT one;
SELECT accepted(enqueue_sql('t_rate', 6), 2), used(6, 't_rate');
ROLLBACK TO one;
SELECT used(6, 't_rate');
SAVEPOINT two;
SELECT accepted(enqueue_sql('t_rate', 6), 1);
RELEASE two;
SELECT used(6, 't_rate');
ROLLBACK;
SELECT used(6, 't_rate');
BEGIN;
SAVEPOINT outer_one;
SAVEPOINT inner_one;
SELECT accepted(enqueue_sql('t_rate', 6), 3);
RELEASE inner_one;
ROLLBACK TO outer_one;
SELECT accepted(enqueue_sql('t_rate', 6), 1);
COMMIT;
SELECT used(6, 't_rate');
DO $$
BEGIN
    PERFORM refusal(enqueue_sql('t_rate', 6));
    PERFORM 1 / 0;
EXCEPTION WHEN division_by_zero THEN
    NULL;
END
$$;
SELECT used(6, 't_rate');
SELECT enqueue_agent('t_rate', '{"text": "x"}', u(6), priority => 11);
SELECT used(6, 't_rate');

-- Many at once: all or none, by the call and by a plain INSERT of many rows.
CREATE FUNCTION bulk_sql(agent_type text, n int, jobs int, key text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT format('SELECT count(*) FROM enqueue_agents(%L, array_fill(jsonb ''{"text": "x"}'', ARRAY[%s]), %L, delay => ''1 hour'', idempotency_key => %L)',
                  agent_type, jobs, u(n), key)
$$;
SELECT accepted(bulk_sql('t_rate', 7, 3), 1), used(7, 't_rate');
SELECT refusal(bulk_sql('t_rate', 7, 3));
SELECT used(7, 't_rate'), accepted(bulk_sql('t_rate', 7, 2), 1), used(7, 't_rate');
SELECT refusal(format('INSERT INTO agent_queue (user_id, agent_type, request_data) SELECT %L, %L, %L FROM generate_series(1, 6)', u(8), 't_rate', '{"text": "x"}'));
SELECT used(8, 't_rate'), (SELECT count(*) FROM agent_queue WHERE user_id = u(8)) AS jobs;
-- More than the limit ever takes: to try again would be of no use.
SELECT refusal(bulk_sql('t_rate', 8, 6));
SELECT refusal(bulk_sql('t_rate_whole', 8, 500));
-- Nothing at all, and none.
SELECT accepted(bulk_sql('t_rate', 8, 0), 1), used(8, 't_rate');
UPDATE agent_types SET endpoint = 't_rate_closed' WHERE name = 't_rate_other';
SELECT refusal(enqueue_sql('t_rate_other', 8));
-- Over 1,024, where times are no longer kept one by one.
UPDATE agent_types SET endpoint = 't_rate_many' WHERE name = 't_rate_other';
SELECT accepted(bulk_sql('t_rate_other', 8, 1000), 6), used(8, 't_rate_many');
BEGIN;
SELECT accepted(bulk_sql('t_rate_other', 9, 1000), 1), accepted(enqueue_sql('t_rate_other', 9), 500), used(9, 't_rate_many');
ROLLBACK;
SELECT used(9, 't_rate_many');

-- A job that is there already is asked for once.
SELECT accepted(replace(enqueue_sql('t_rate', 10), '1 hour''', '1 hour'', idempotency_key => ''k'''), 20), used(10, 't_rate');
SELECT accepted(bulk_sql('t_rate', 11, 2, 'b'), 10), used(11, 't_rate');
-- … and of a bulk that is there in part, the new ones only.
SELECT count(*) AS deleted FROM (SELECT cancel_agent(id) FROM agent_queue WHERE user_id = u(11)) AS c;
DELETE FROM agent_queue WHERE user_id = u(11) AND idempotency_key = 'b:1';
SELECT accepted(bulk_sql('t_rate', 11, 2, 'b'), 1), used(11, 't_rate');
-- At the limit too; but for another job under that key it is the limit, and a bulk must fit as a whole.
SELECT accepted(enqueue_sql('t_rate', 10), 10), accepted(enqueue_sql('t_rate', 11), 10);
SELECT refusal(replace(enqueue_sql('t_rate', 10), '1 hour''', '1 hour'', idempotency_key => ''k''')) AS known,
       refusal(replace(enqueue_sql('t_rate', 10), '1 hour''', '1 hour'', idempotency_key => ''new''')) AS unknown;
SELECT refusal(bulk_sql('t_rate', 11, 2, 'b')) AS known, refusal(bulk_sql('t_rate', 11, 3, 'b')) AS known_in_part;
SELECT used(10, 't_rate'), used(11, 't_rate'), (SELECT count(*) FROM agent_queue WHERE user_id = u(11)) AS jobs;

-- A changed rule holds for the next request, for what was accepted before too.
SELECT accepted(enqueue_sql('t_rate', 12), 3);
UPDATE agent_limits SET max_requests = 2 WHERE tier = 't_rate' AND endpoint = 't_rate';
SELECT refusal(enqueue_sql('t_rate', 12));
UPDATE agent_limits SET max_requests = 50 WHERE tier = 't_rate' AND endpoint = 't_rate';
SELECT accepted(enqueue_sql('t_rate', 12), 60), used(12, 't_rate');
UPDATE agent_limits SET max_requests = 2000 WHERE tier = 't_rate' AND endpoint = 't_rate';
SELECT accepted(bulk_sql('t_rate', 12, 1000), 3), used(12, 't_rate');
UPDATE agent_limits SET max_requests = 5 WHERE tier = 't_rate' AND endpoint = 't_rate';
SELECT refusal(enqueue_sql('t_rate', 12));
-- So does another tier, and a row that is gone: free.
UPDATE agent_users SET tier = 'superadmin' WHERE user_id = u(12);
SELECT accepted(enqueue_sql('t_rate', 12), 1);
DELETE FROM agent_users WHERE user_id = u(13);
SELECT accepted(enqueue_sql('t_rate', 13), 20);
-- What was charged under one rule comes back under another, also when the window had to move to larger memory.
BEGIN;
SELECT accepted(enqueue_sql('t_rate', 20), 4), used(20, 't_rate');
SAVEPOINT one;
UPDATE agent_limits SET max_requests = 500 WHERE tier = 't_rate' AND endpoint = 't_rate';
SELECT accepted(bulk_sql('t_rate', 20, 100), 2), used(20, 't_rate');
ROLLBACK TO one;
SELECT used(20, 't_rate'), accepted(enqueue_sql('t_rate', 20), 4);
UPDATE agent_limits SET max_requests = 500, window_seconds = 120 WHERE tier = 't_rate' AND endpoint = 't_rate';
SELECT accepted(bulk_sql('t_rate', 20, 100), 2), used(20, 't_rate');
ROLLBACK;
SELECT used(20, 't_rate'), accepted(enqueue_sql('t_rate', 20), 9);
-- A tier that does not exist: nobody knows what it allows.
SELECT refusal(enqueue_sql('t_rate', 91));
SELECT refusal(format('SELECT check_rate_limit(%L, %L)', u(91), 't_rate'));

-- check_rate_limit: the same rules in windows of its own.
SELECT count(*) FILTER (WHERE check_rate_limit(u(14), 't_rate')) AS checks FROM generate_series(1, 10);
SELECT accepted(enqueue_sql('t_rate', 14), 10) AS jobs, used(14, 't_rate', 'checks') AS checks, used(14, 't_rate') AS jobs;
-- The tier's "*", free, its own number, unlimited with and without one.
SELECT count(*) FILTER (WHERE check_rate_limit(u(14), 'anything')) AS star,
       count(*) FILTER (WHERE check_rate_limit(u(80), 'anything')) AS free,
       count(*) FILTER (WHERE check_rate_limit(u(80), 'else', 7)) AS given,
       count(*) FILTER (WHERE check_rate_limit(u(80), 'long', 3, 60)) AS of_an_hour,
       count(*) FILTER (WHERE check_rate_limit(u(80), 'none', 0)) AS none,
       count(*) FILTER (WHERE check_rate_limit(u(90), 'anything')) AS unlimited,
       count(*) FILTER (WHERE check_rate_limit(u(90), 'given', 7)) AS given_to_unlimited,
       count(*) FILTER (WHERE check_rate_limit(p_endpoint => 'mail', p_user_id => NULL, p_max_requests => 6)) AS system,
       count(*) FILTER (WHERE check_rate_limit(NULL, 'mail')) AS system_without_rule
FROM generate_series(1, 20);
-- A limit that is given belongs to the window: whoever gives another one changes none that is there, nor the tier's.
SELECT count(*) FILTER (WHERE check_rate_limit(u(22), 'kept', 5, 60)) AS hourly,
       count(*) FILTER (WHERE check_rate_limit(u(22), 'kept')) AS by_rule FROM generate_series(1, 9);
SELECT check_rate_limit(u(22), 'kept', 2000, 1) AS sliced, check_rate_limit(u(22), 'kept', 6, 60) AS larger,
       check_rate_limit(u(22), 'kept', 5, 1) AS shorter;
SELECT check_rate_limit(u(22), 'kept', 5, 60) AS hourly, check_rate_limit(u(22), 'kept') AS by_rule;
SELECT namespace, used, max_requests, window_seconds FROM rate_limits WHERE endpoint = 'kept' ORDER BY 3, 4;
-- Given back with what is rolled back.
BEGIN;
SELECT check_rate_limit(u(15), 'back', 2), check_rate_limit(u(15), 'back', 2), check_rate_limit(u(15), 'back', 2) AS third;
SAVEPOINT one;
SELECT check_rate_limit(u(15), 'other', 2);
ROLLBACK TO one;
SELECT used(15, 'back', 'checks'), used(15, 'other', 'checks');
ROLLBACK;
SELECT used(15, 'back', 'checks');
-- What cannot be meant.
SELECT refusal(format('SELECT check_rate_limit(%L, %s)', u(15), arguments))
FROM unnest(ARRAY[$$NULL$$, $$''$$, $$repeat('n', 201)$$, $$E'a\nb'$$, $$'x', -1$$, $$'x', 1000001$$, $$'x', 10, 0$$, $$'x', 10, 61$$,
                  $$'x', NULL, -5$$, $$'x', 10, NULL$$, $$repeat('ñ', 200)$$]) AS arguments;
-- A user cannot fill the memory alone.
SELECT count(*) FILTER (WHERE refusal(format('SELECT check_rate_limit(%L, %L)', u(16), 'endpoint ' || n)) = 'accepted')
FROM generate_series(1, 250) AS n;
SELECT refusal(format('SELECT check_rate_limit(%L, %L)', u(16), 'one more'));
SELECT check_rate_limit(u(16), 'endpoint 1') AS still_served;
-- … neither by many windows nor by large ones.
SELECT count(*) FILTER (WHERE refusal(format('SELECT check_rate_limit(%L, %L, 1024, 60)', u(21), 'endpoint ' || n)) = 'accepted') < 20 AS a_few
FROM generate_series(1, 63) AS n;
SELECT refusal(format('SELECT check_rate_limit(%L, %L, 1024, 60)', u(21), 'one more'));
SELECT check_rate_limit(u(21), 'endpoint 1', 1024, 60) AS still_served;
-- What was rolled back makes room: nothing counts there.
BEGIN;
SELECT count(*) FILTER (WHERE check_rate_limit(u(17), 'endpoint ' || n)) FROM generate_series(1, 200) AS n;
ROLLBACK;
SELECT count(*) FILTER (WHERE check_rate_limit(u(17), 'another ' || n)) FROM generate_series(1, 200) AS n;

-- Prepared transactions keep what they have charged, also when they are rolled back.
BEGIN;
SELECT accepted(enqueue_sql('t_rate', 18), 2);
PREPARE TRANSACTION 'regress_rate_limits';
SELECT used(18, 't_rate');
ROLLBACK PREPARED 'regress_rate_limits';
SELECT used(18, 't_rate');

-- For somebody else: who may enqueue for them. A user sees the own windows.
CREATE ROLE regress_agent_client;
CREATE ROLE regress_agent_service BYPASSRLS;
SELECT grant_agent_access('regress_agent_client'), grant_agent_access('regress_agent_service');
SET ROLE regress_agent_client;
SELECT check_rate_limit(NULL, 'x');
SELECT count(*) FROM rate_limits;
SET agent_queue.user_id = '00000000-0000-0000-0000-00000000e019';
SELECT check_rate_limit(NULL, 'mine', 2), check_rate_limit('00000000-0000-0000-0000-00000000e019', 'mine', 2),
       check_rate_limit(NULL, 'mine', 2) AS third, check_rate_limit(NULL, 'mine', 2) AS fourth;
SELECT check_rate_limit('00000000-0000-0000-0000-00000000e001', 'x');
\echo :SQLSTATE
INSERT INTO agent_queue (agent_type, request_data, run_at) VALUES ('t_rate', '{"text": "x"}', now() + interval '1 hour');
SELECT kind, user_id, endpoint, namespace, used, max_requests, window_seconds,
       free_at BETWEEN now() + interval '1 s' AND now() + interval '61 s' AS free_within_the_window, blocked,
       now() - last_used < '1 min' AS just_used
FROM rate_limits;
SELECT count(*) AS also_by_the_function FROM agent_queue_rate_limits();
SET ROLE regress_agent_service;
SELECT check_rate_limit('00000000-0000-0000-0000-00000000e001', 'x');
RESET ROLE;
RESET agent_queue.user_id;

-- The owner sees all; full and much refused windows come first.
SELECT kind, user_id, endpoint, namespace, used, max_requests, window_seconds, free_at > now() AS is_full, blocked
FROM rate_limits WHERE endpoint IN ('t_rate_whole', 't_rate_narrow', 't_rate_shared', 't_rate_closed', 'mail');
SELECT endpoint, octet_length(endpoint), max_requests FROM rate_limits WHERE endpoint LIKE 'ñ%';

SELECT revoke_agent_access('regress_agent_client'), revoke_agent_access('regress_agent_service');
DROP FUNCTION refusal, accepted, enqueue_sql, bulk_sql, used;
DELETE FROM agent_queue WHERE agent_type LIKE 't_rate%';
DELETE FROM agent_users WHERE user_id::text LIKE '%00000000e0__';
DELETE FROM agent_limits WHERE tier = 't_rate';
DELETE FROM agent_tiers WHERE name = 't_rate';
DELETE FROM agent_types WHERE name LIKE 't_rate%';
DELETE FROM agent_queues WHERE name LIKE 't_rate%';
DROP FUNCTION u;
DROP ROLE regress_agent_client, regress_agent_service;
