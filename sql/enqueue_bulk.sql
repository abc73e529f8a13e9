-- Many jobs in one call: all or none, ids in the order of the requests. Rolled back, so that no worker sees them.
\set SHOW_CONTEXT never
INSERT INTO agent_types (name, queue, priority, expires_in) VALUES ('t_bulk', 'reports', 8, '10 min');

BEGIN;
CREATE TEMPORARY TABLE enqueued AS
SELECT id, n FROM enqueue_agents('t_bulk', ARRAY(SELECT jsonb_build_object('text', i::text) FROM generate_series(1, 100000) AS i))
    WITH ORDINALITY AS e (id, n);
SELECT count(*), count(DISTINCT id) FROM enqueued;
-- The n-th id is the n-th request's.
SELECT count(*) AS misplaced FROM enqueued AS e JOIN agent_queue AS q USING (id) WHERE (q.request_data ->> 'text')::int <> e.n;
-- Without expires_in a bulk never expires.
SELECT status, queue, priority, expires_at, count(*), count(claim_key) AS in_line
FROM agent_queue WHERE agent_type = 't_bulk' GROUP BY 1, 2, 3, 4;
-- First in, first in line.
SELECT count(*) AS overtaken
FROM (SELECT claim_key < lag(claim_key) OVER (ORDER BY id) AS overtaken FROM agent_queue WHERE agent_type = 't_bulk') AS q
WHERE overtaken;
ROLLBACK;

-- Options hold for each job.
BEGIN;
SELECT count(*) FROM enqueue_agents('t_bulk', ARRAY['{"text": "a"}', '{"text": "b"}']::jsonb[], priority => 2,
    delay => '1 hour', expires_in => '2 hours', max_retries => 1, idempotency_key => 'bulk', queue => 'agents',
    user_id => '00000000-0000-0000-0000-0000000000b1');
SELECT request_data ->> 'text' AS text, user_id, status, wait_reason, queue, priority, max_retries, idempotency_key,
       run_at - created_at AS delay, expires_at - run_at AS expires_in
FROM agent_queue WHERE agent_type = 't_bulk' ORDER BY id;
-- The same again is the same jobs.
SELECT array_agg(e.id) = (SELECT array_agg(q.id ORDER BY q.id) FROM agent_queue AS q WHERE q.agent_type = 't_bulk') AS same
FROM enqueue_agents('t_bulk', ARRAY['{"text": "a"}', '{"text": "b"}']::jsonb[], priority => 2,
    delay => '1 hour', expires_in => '2 hours', max_retries => 1, idempotency_key => 'bulk', queue => 'agents',
    user_id => '00000000-0000-0000-0000-0000000000b1') AS e (id);
ROLLBACK;

-- Nothing to do.
SELECT count(*) FROM enqueue_agents('t_bulk', '{}');

-- One that is refused refuses all, and is named.
DO $$
DECLARE
    context text;
BEGIN
    PERFORM enqueue_agents('t_bulk', ARRAY['{"text": "a"}', '[1]', '{"text": "c"}']::jsonb[]);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RAISE NOTICE '%: %', SQLERRM, substring(context FROM 'request number \d+ of enqueue_agents\(\)');
END
$$;
SELECT count(*) FROM enqueue_agents('t_bulk', ARRAY['{"text": "a"}', '[1]', '{"text": "c"}']::jsonb[]);
\echo :SQLSTATE
SELECT count(*) FROM enqueue_agents('t_bulk', ARRAY['{"text": "a"}', NULL]::jsonb[]);
\echo :SQLSTATE
SELECT count(*) FROM enqueue_agents('t_bul', ARRAY['{"text": "a"}']::jsonb[]);
\echo :SQLSTATE
SELECT count(*) FROM enqueue_agents('t_bulk', ARRAY['{"text": "a"}']::jsonb[], priority => 0);
\echo :SQLSTATE
SELECT count(*) FROM agent_queue WHERE agent_type = 't_bulk';

DELETE FROM agent_types WHERE name = 't_bulk';
