-- The workers of this database, as they describe themselves in shared memory.
CREATE OR REPLACE VIEW @extschema@.agent_workers WITH (security_invoker = true) AS
SELECT w.pid, w.incarnation, w.state, w.in_flight, w.claimed, w.settled, w.rounds, w.wakeups, w.rescued,
       w.store_failures, w.started_at, w.last_round_at
FROM @extschema@.agent_queue_workers() AS w;

COMMENT ON VIEW @extschema@.agent_workers IS 'The workers of this database';
COMMENT ON COLUMN @extschema@.agent_workers.incarnation IS
    'Number of this worker since the server started; part of its claims';
COMMENT ON COLUMN @extschema@.agent_workers.state IS 'What it does now';
COMMENT ON COLUMN @extschema@.agent_workers.in_flight IS 'Calls under way';
COMMENT ON COLUMN @extschema@.agent_workers.rounds IS 'Settle and claim transactions so far';
COMMENT ON COLUMN @extschema@.agent_workers.rescued IS 'Jobs taken over from dead workers so far';
COMMENT ON COLUMN @extschema@.agent_workers.store_failures IS 'Transactions that failed so far';
