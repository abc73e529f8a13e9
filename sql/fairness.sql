-- The place in line: users take turns, by the weight of their tier; priorities and age still hold. The queue is paused,
-- so that the order can be read. Jobs of one transaction are enqueued at one time, give or take some milliseconds.
ALTER TABLE agent_queue ALTER COLUMN id RESTART WITH 960001;
INSERT INTO agent_queues (name, paused) VALUES ('t_fair', true);
INSERT INTO agent_types (name, queue) VALUES ('t_fair', 't_fair'), ('t_fair_other', 't_fair');
INSERT INTO agent_tiers (name, weight) VALUES ('t_single', 100), ('t_double', 200);
INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('t_single', '*', 1000000), ('t_double', '*', 1000000);
INSERT INTO agent_users (user_id, tier) VALUES
    ('00000000-0000-0000-0000-00000fa10001', 't_single'), ('00000000-0000-0000-0000-00000fa10002', 't_single'),
    ('00000000-0000-0000-0000-00000fa10003', 't_double');

CREATE FUNCTION t_fair_enqueue(who int, jobs int, priority int DEFAULT NULL, type text DEFAULT 't_fair') RETURNS bigint
LANGUAGE sql AS $$
    SELECT count(enqueue_agent(type, jsonb_build_object('text', n::text), priority => priority,
                               user_id => ('00000000-0000-0000-0000-00000fa1000' || who)::uuid))
    FROM generate_series(1, jobs) AS n
$$;
CREATE VIEW t_fair_line AS
SELECT string_agg(coalesce(right(user_id::text, 1), 's') || (request_data ->> 'text'), ' ' ORDER BY agent_type, claim_key)
FROM agent_queue WHERE queue = 't_fair';

-- One who comes with five jobs, and one who comes later with two.
SELECT t_fair_enqueue(1, 5), t_fair_enqueue(2, 2);
TABLE t_fair_line;
-- Twice the weight, twice as often.
SELECT t_fair_enqueue(3, 6);
TABLE t_fair_line;

-- What was rolled back took no place.
BEGIN;
SELECT t_fair_enqueue(2, 50);
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT t_fair_enqueue(2, 50);
ROLLBACK TO s;
SELECT t_fair_enqueue(2, 1);
COMMIT;
SELECT round(extract(epoch FROM claim_key_time - created_at)) AS steps_behind
FROM (SELECT created_at, timestamptz '2000-01-01 00:00Z' + (claim_key - 5 * 30000000) * interval '1 us' AS claim_key_time
      FROM agent_queue WHERE queue = 't_fair' ORDER BY id DESC LIMIT 1) AS last;
DELETE FROM agent_queue WHERE queue = 't_fair';

-- Each agent type and each priority has a line of its own; a high priority goes before.
SELECT t_fair_enqueue(1, 3, 5, 't_fair_other'), t_fair_enqueue(1, 2, 1, 't_fair_other');
TABLE t_fair_line;
DELETE FROM agent_queue WHERE queue = 't_fair';

-- Jobs of the system stand where they come.
SELECT count(*) FROM enqueue_agents('t_fair', array_fill('{"text": "0"}'::jsonb, ARRAY[1000]));
SELECT max(claim_key) - min(claim_key) < 1000000 AS within_a_second FROM agent_queue WHERE queue = 't_fair';
DELETE FROM agent_queue WHERE queue = 't_fair';

-- Nobody starves: however many jobs, none stands more than an hour behind a new one of its priority.
SELECT t_fair_enqueue(1, 5000);
SELECT max(claim_key) - min(claim_key) BETWEEN 3590000000 AND 3640000000 AS within_an_hour
FROM agent_queue WHERE queue = 't_fair';
DELETE FROM agent_queue WHERE queue = 't_fair';

-- A line that was worked off leaves no debts.
UPDATE agent_queues SET paused = false WHERE name = 't_fair';
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_fair', 'echo', 'echo');
SELECT enqueue_agent('t_fair', '{"text": "last"}', priority => 9) AS id \gset
SELECT wait_agent(:id) IS NOT NULL AS answered;
UPDATE agent_queues SET paused = true WHERE name = 't_fair';
SELECT t_fair_enqueue(1, 1);
SELECT claim_key - (extract(epoch FROM created_at - '2000-01-01 00:00Z') * 1000000)::bigint - 5 * 30000000 AS behind
FROM agent_queue WHERE queue = 't_fair' AND status = 'pending';

DELETE FROM agent_queue WHERE queue = 't_fair';
DROP VIEW t_fair_line;
DROP FUNCTION t_fair_enqueue;
DELETE FROM agent_users WHERE user_id::text LIKE '%00000fa1000%';
DELETE FROM agent_limits WHERE tier LIKE 't\_%';
DELETE FROM agent_tiers WHERE name LIKE 't\_%';
DELETE FROM agent_routes WHERE agent_type LIKE 't\_fair%';
DELETE FROM agent_types WHERE name LIKE 't\_fair%';
DELETE FROM agent_queues WHERE name = 't_fair';
