// The statements of the worker's life: claim, settle, rescue, promote. All rows are taken with SKIP LOCKED, so no
// statement waits for a row; the session's lock_timeout bounds waits for the table. Predicates are literals, never
// parameters, so that the partial indexes are used by generic plans. Times are parameters: there is no now() here.
// "@s@" is the extension's schema; "@rows@" are rows that are given as arrays, by the name r (pg/store/rows_plan).
#pragma once

#include "pg/store/rows_plan.hpp"

namespace agent_queue::pg::sql {

// One lane, from its lower bound on. Uses agent_queue_ready.
// $1 queue, $2 agent type, $3 lowest claim_key, $4 limit, $5 ids that are passed over because they could not be claimed
inline constexpr const char *kClaimLane = R"(
  SELECT id, ctid, user_id, agent_type, request_data, retry_count, max_retries, created_at, expires_at, claim_key,
         cache_key
    FROM @s@.agent_queue
   WHERE status = 'pending' AND claim_key IS NOT NULL AND queue = $1 AND agent_type = $2 AND claim_key >= $3
     AND id <> ALL ($5)
   ORDER BY claim_key
   LIMIT $4
     FOR NO KEY UPDATE SKIP LOCKED)";

// The rows are locked by this transaction: their ctid stands still.
// $3 claim, $4 now
inline constexpr RowColumn kClaimedRows[] = {{"row_at", "tid"}, {"hold", "text"}};
inline constexpr const char *kMarkClaimed = R"(
  UPDATE @s@.agent_queue AS q
     SET status = 'processing', claim = $3, started_at = $4, hold_usd = r.hold::numeric, wait_reason = NULL
    FROM @rows@
   WHERE q.ctid = r.row_at)";

// Found by a claim and not called: expired, or refused. $4 now
inline constexpr RowColumn kUncalledRows[] = {{"row_at", "tid"}, {"code", "text"}, {"message", "text"}};
inline constexpr const char *kEndUncalled = R"(
  UPDATE @s@.agent_queue AS q
     SET status = 'failed', error_code = r.code, error_message = r.message, completed_at = $4, wait_reason = NULL
    FROM @rows@
   WHERE q.ctid = r.row_at)";

// Found by a claim, and not to be called now. claim_key stays: it comes back to its place in line. `moves`: expires_at
// moves along.
inline constexpr RowColumn kParkedRows[] = {
    {"row_at", "tid"}, {"run_at", "timestamptz"}, {"reason", "text"}, {"moves", "bool"}};
inline constexpr const char *kPark = R"(
  UPDATE @s@.agent_queue AS q
     SET status = 'scheduled', run_at = r.run_at, wait_reason = r.reason,
         expires_at = CASE WHEN r.moves THEN q.expires_at + (r.run_at - q.run_at) ELSE q.expires_at END
    FROM @rows@
   WHERE q.ctid = r.row_at)";

// All lanes that have something waiting: a skip scan of agent_queue_ready, for the full sweep.
inline constexpr const char *kWaitingLanes = R"(
  WITH RECURSIVE t (queue, agent_type) AS (
    (SELECT queue, agent_type FROM @s@.agent_queue
      WHERE status = 'pending' AND claim_key IS NOT NULL ORDER BY queue, agent_type LIMIT 1)
    UNION ALL
    SELECT n.queue, n.agent_type
      FROM t, LATERAL (SELECT q.queue, q.agent_type FROM @s@.agent_queue AS q
                        WHERE q.status = 'pending' AND q.claim_key IS NOT NULL
                          AND (q.queue, q.agent_type) > (t.queue, t.agent_type)
                        ORDER BY q.queue, q.agent_type LIMIT 1) AS n)
  SELECT queue, agent_type FROM t)";

// Those of them that are ours and that nobody else has locked. A row that has a claim is processing; saying so here
// would let the planner take agent_queue_due, and read every entry of it, instead of the primary key.
// $1 ids, $2 claim
inline constexpr const char *kLockSettled = R"(
  SELECT id, ctid, coalesce(started_at, created_at) FROM @s@.agent_queue
   WHERE id = ANY ($1) AND claim = $2
     FOR NO KEY UPDATE SKIP LOCKED)";

// Which of them are still ours, locked by others or not. $1 ids, $2 claim
inline constexpr const char *kStillOurs = R"(
  SELECT id, ctid, coalesce(started_at, created_at) FROM @s@.agent_queue WHERE id = ANY ($1) AND claim = $2)";

// Locks what is ours and free, and updates it, in one statement: an idle queue settles one job at a time, and there
// every statement counts. The start tells attempts apart: a job that was cancelled and is tried again may have the same
// claim. attempts, input, output and cost are added; run_at NULL leaves it as it is. $16 claim
inline constexpr RowColumn kSettledRows[] = {{"id", "int8"},
                                             {"started_at", "timestamptz"},
                                             {"status", "text"},
                                             {"result", "text"},
                                             {"error_code", "text"},
                                             {"error_message", "text"},
                                             {"attempts", "int4"},
                                             {"run_at", "timestamptz"},
                                             {"wait_reason", "text"},
                                             {"provider", "text"},
                                             {"model", "text"},
                                             {"input", "int8"},
                                             {"output", "int8"},
                                             {"cost", "text"},
                                             {"completed_at", "timestamptz"}};
inline constexpr const char *kSettle = R"(
  UPDATE @s@.agent_queue AS q
     SET status = s.status, result = s.result::jsonb, error_code = s.error_code, error_message = s.error_message,
         retry_count = q.retry_count + s.attempts, run_at = coalesce(s.run_at, q.run_at), wait_reason = s.wait_reason,
         provider = coalesce(s.provider, q.provider), model = coalesce(s.model, q.model),
         input_tokens = CASE WHEN s.input IS NULL THEN q.input_tokens ELSE coalesce(q.input_tokens, 0) + s.input END,
         output_tokens = CASE WHEN s.output IS NULL THEN q.output_tokens
                              ELSE coalesce(q.output_tokens, 0) + s.output END,
         cost_usd = CASE WHEN s.cost IS NULL THEN q.cost_usd ELSE coalesce(q.cost_usd, 0) + s.cost::numeric END,
         completed_at = s.completed_at, claim = NULL, hold_usd = NULL
    FROM (SELECT ours.ctid AS row_at, r.*
            FROM @rows@
            JOIN @s@.agent_queue AS ours ON ours.id = r.id
           WHERE ours.claim = $16 AND coalesce(ours.started_at, ours.created_at) = r.started_at
             FOR NO KEY UPDATE OF ours SKIP LOCKED) AS s
   WHERE q.ctid = s.row_at
  RETURNING q.id, q.ctid, coalesce(q.started_at, q.created_at))";

// An attempt is accounted once: a second row of the same attempt (job, attempt, part, start) is dropped by the
// partition's unique index.
inline constexpr RowColumn kUsageRows[] = {{"queue_id", "int8"},
                                           {"attempt", "int4"},
                                           {"user_id", "uuid"},
                                           {"agent_type", "text"},
                                           {"provider", "text"},
                                           {"model", "text"},
                                           {"input", "int8"},
                                           {"cache_read", "int8"},
                                           {"cache_write", "int8"},
                                           {"output", "int8"},
                                           {"reasoning", "int8"},
                                           {"cost", "text"},
                                           {"estimated", "bool"},
                                           {"latency_ms", "float8"},
                                           {"created_at", "timestamptz"},
                                           {"first_token_ms", "float8"},
                                           {"compressed_tokens", "int8"}};
inline constexpr const char *kUsage = R"(
  INSERT INTO @s@.api_usage (queue_id, attempt, part, user_id, agent_type, provider, model, tokens_used, input_tokens,
                             cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_usd, saved_usd,
                             cached, estimated, latency_ms, first_token_ms, created_at, compressed_tokens)
  SELECT r.queue_id, r.attempt, 1, r.user_id, r.agent_type, r.provider, r.model,
         r.input + r.cache_read + r.cache_write + r.output, r.input, r.cache_read, r.cache_write, r.output, r.reasoning,
         r.cost::numeric, NULL, false, r.estimated, r.latency_ms, r.first_token_ms, r.created_at,
         r.compressed_tokens
    FROM @rows@
  ON CONFLICT DO NOTHING)";

// Text so far of streamed jobs that are still ours. Takes no row lock: who deletes a job meanwhile leaves its parts to
// its settle. $1 queue_ids, $2 started_at, $3 numbers, $4 texts, $5 claim
inline constexpr const char *kWriteParts = R"(
  INSERT INTO @s@.agent_stream_parts (queue_id, started_at, number, text)
  SELECT p.queue_id, p.started_at, p.number, p.text
    FROM unnest($1::bigint[], $2::timestamptz[], $3::int[], $4::text[]) AS p (queue_id, started_at, number, text)
    JOIN @s@.agent_queue AS q ON q.id = p.queue_id
   WHERE q.claim = $5 AND q.started_at = p.started_at
  RETURNING queue_id)";

// Of these attempts alone: a cancelled job may run again, elsewhere, before its old call is settled.
// $1 queue_ids, $2 started_at
inline constexpr const char *kRemoveParts = R"(
  DELETE FROM @s@.agent_stream_parts AS p
   USING unnest($1::bigint[], $2::timestamptz[]) AS a (queue_id, started_at)
   WHERE p.queue_id = a.queue_id AND p.started_at = a.started_at)";

// Parts of attempts that are not under way: their jobs were deleted while their worker died.
inline constexpr const char *kSweepParts = R"(
  DELETE FROM @s@.agent_stream_parts AS p
   WHERE NOT EXISTS (SELECT FROM @s@.agent_queue AS q
                      WHERE q.id = p.queue_id AND q.claim IS NOT NULL AND q.started_at = p.started_at))";

// Whose claims are there? Judged by shared memory afterwards: a worker that was alive when its claim was committed and
// is not now is dead for good. Uses agent_queue_due.
inline constexpr const char *kClaims = R"(
  SELECT claim FROM @s@.agent_queue WHERE status = 'processing' AND claim_key IS NOT NULL AND claim IS NOT NULL
  UNION
  SELECT claim FROM @s@.agent_orphans)";

// $1 claims of the dead, $2 limit
inline constexpr const char *kLost = R"(
  SELECT id, ctid, user_id, agent_type, request_data, retry_count, max_retries, created_at, expires_at, claim_key,
         cache_key, started_at, hold_usd::text
    FROM @s@.agent_queue
   WHERE status = 'processing' AND claim_key IS NOT NULL AND claim = ANY ($1)
   LIMIT $2
     FOR NO KEY UPDATE SKIP LOCKED)";

// $1 ctids, $2 claim
inline constexpr const char *kTakeOver = R"(
  UPDATE @s@.agent_queue AS q SET claim = $2 FROM unnest($1::tid[]) AS t (row_at) WHERE q.ctid = t.row_at)";

// Attempts of the dead whose jobs were cancelled or deleted meanwhile. $1 claims of the dead, $2 limit, $3 claim
inline constexpr const char *kTakeOverOrphans = R"(
  UPDATE @s@.agent_orphans AS o
     SET claim = $3
   WHERE o.ctid = ANY (ARRAY(SELECT ctid FROM @s@.agent_orphans WHERE claim = ANY ($1) LIMIT $2
                                FOR NO KEY UPDATE SKIP LOCKED))
  RETURNING o.queue_id, (extract(epoch FROM o.started_at) * 1000000)::bigint, o.user_id, o.agent_type, o.retry_count,
            o.request_bytes, o.hold_usd)";

// $1 queue_ids, $2 started_at, $3 claim
inline constexpr const char *kRemoveOrphans = R"(
  DELETE FROM @s@.agent_orphans AS o
   USING unnest($1::bigint[], $2::timestamptz[]) AS a (queue_id, started_at)
   WHERE o.queue_id = a.queue_id AND o.started_at = a.started_at AND o.claim = $3)";

// $1 now, $2 limit, $3 ids that are passed over because they could not be promoted. Uses agent_queue_due.
inline constexpr const char *kDue = R"(
  SELECT id, ctid FROM @s@.agent_queue
   WHERE status = 'scheduled' AND claim_key IS NOT NULL AND run_at <= $1 AND id <> ALL ($3)
   ORDER BY run_at LIMIT $2
     FOR NO KEY UPDATE SKIP LOCKED)";

// $1 ctids
inline constexpr const char *kPromote = R"(
  UPDATE @s@.agent_queue AS q
     SET status = 'pending', wait_reason = NULL
    FROM unnest($1::tid[]) AS d (row_at)
   WHERE q.ctid = d.row_at
  RETURNING q.queue, q.agent_type, q.claim_key)";

// $1 ids that are passed over
inline constexpr const char *kNextDue = R"(
  SELECT run_at FROM @s@.agent_queue
   WHERE status = 'scheduled' AND claim_key IS NOT NULL AND id <> ALL ($1) ORDER BY run_at LIMIT 1)";

// How much waits, counted no further than a hundred. $1 limit. Uses agent_queue_ready.
inline constexpr const char *kBacklog = R"(
  SELECT count(*), min(created_at)
    FROM (SELECT created_at FROM @s@.agent_queue
           WHERE status = 'pending' AND claim_key IS NOT NULL ORDER BY queue, agent_type, claim_key LIMIT $1) AS w)";

// Does this database belong to this installation, or is it a copy?
inline constexpr const char *kIsOrigin = R"(
  SELECT system_identifier = (SELECT system_identifier FROM pg_catalog.pg_control_system())
         AND database_oid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    FROM @s@.agent_queue_origin)";

// After a recovery to a point in time nobody knows where the jobs are at home: until adopt_jobs() says so, not here.
inline constexpr const char *kDisown = "UPDATE @s@.agent_queue_origin SET database_oid = 0";

}  // namespace agent_queue::pg::sql
