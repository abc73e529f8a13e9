// The statements of upkeep: each a slice, bounded in rows or blocks. All rows are taken with SKIP LOCKED. Predicates
// are literals where a partial index is meant, and times are parameters, as in job_store_sql.hpp. "@s@" is the schema.
#pragma once

#include "pg/store/rows_plan.hpp"

namespace agent_queue::pg::sql {

// $2 now
inline constexpr RowColumn kExpiredRows[] = {{"row_at", "tid"}};
inline constexpr const char *kExpire = R"(
  UPDATE @s@.agent_queue AS q
     SET status = 'failed', error_code = 'expired', error_message = 'the job expired before it was called',
         completed_at = $2, wait_reason = NULL
    FROM @rows@
   WHERE q.ctid = r.row_at)";

// ---- retention

inline constexpr const char *kNewestJob = "SELECT id FROM @s@.agent_queue ORDER BY id DESC LIMIT 1";

// Has adopt_jobs() taken over what was restored?
inline constexpr const char *kIsHistoryAdopted = "SELECT 1 FROM @s@.agent_queue_origin WHERE is_history_adopted";

// Finished jobs of a range of ids, the newest first. Uses the primary key.
// $1 highest id, $2 below the lowest id, $3 also those that were restored or replicated, $4 limit
inline constexpr const char *kFinished = R"(
  SELECT id, ctid, queue, status, coalesce(completed_at, created_at)
    FROM @s@.agent_queue
   WHERE id <= $1 AND id > $2 AND status IN ('completed', 'failed') AND (claim_key IS NOT NULL OR $3)
   ORDER BY id DESC LIMIT $4)";

// A job that was tried again meanwhile is not finished any more and stays. $1 ctids
inline constexpr const char *kRemove = R"(
  DELETE FROM @s@.agent_queue AS q
   WHERE q.ctid = ANY (ARRAY(SELECT ctid FROM @s@.agent_queue
                              WHERE ctid = ANY ($1) AND status IN ('completed', 'failed')
                                FOR UPDATE SKIP LOCKED)))";

// What a crash undoes of a removal or an expiry is done again, and comes to the same: nobody has to wait for the disk.
inline constexpr const char *kCommitLazily = "SET LOCAL synchronous_commit = off";

// ---- expiry

// $1 queue, $2 agent type. The lane behind that one that has waiting jobs. Uses agent_queue_ready.
inline constexpr const char *kNextLane = R"(
  SELECT queue, agent_type FROM @s@.agent_queue
   WHERE status = 'pending' AND claim_key IS NOT NULL AND (queue, agent_type) > ($1, $2)
   ORDER BY queue, agent_type LIMIT 1)";

// How many jobs were looked at, the last one's key, and how many of them are expired. Uses agent_queue_ready.
// $1 queue, $2 agent type, $3 lowest claim_key, $4 limit, $5 now
inline constexpr const char *kLookAtLane = R"(
  SELECT count(*), max(s.claim_key), count(*) FILTER (WHERE s.expires_at <= $5)
    FROM (SELECT claim_key, expires_at FROM @s@.agent_queue
           WHERE status = 'pending' AND claim_key IS NOT NULL AND queue = $1 AND agent_type = $2 AND claim_key >= $3
           ORDER BY claim_key LIMIT $4) AS s)";

// $1 queue, $2 agent type, $3 lowest and $4 highest claim_key, $5 now, $6 ids that are passed over, $7 limit
inline constexpr const char *kLockExpiredInLane = R"(
  SELECT id, ctid FROM @s@.agent_queue
   WHERE status = 'pending' AND claim_key IS NOT NULL AND queue = $1 AND agent_type = $2
     AND claim_key BETWEEN $3 AND $4 AND expires_at <= $5 AND id <> ALL ($6)
   ORDER BY claim_key LIMIT $7
     FOR NO KEY UPDATE SKIP LOCKED)";

// The same of scheduled jobs, by run_at. Uses agent_queue_due. $1 lowest run_at, $2 limit, $3 now
inline constexpr const char *kLookAtScheduled = R"(
  SELECT count(*), max(s.run_at), count(*) FILTER (WHERE s.expires_at <= $3)
    FROM (SELECT run_at, expires_at FROM @s@.agent_queue
           WHERE status = 'scheduled' AND claim_key IS NOT NULL AND run_at >= $1
           ORDER BY run_at LIMIT $2) AS s)";

// $1 lowest and $2 highest run_at, $3 now, $4 ids that are passed over, $5 limit
inline constexpr const char *kLockExpiredScheduled = R"(
  SELECT id, ctid FROM @s@.agent_queue
   WHERE status = 'scheduled' AND claim_key IS NOT NULL AND run_at BETWEEN $1 AND $2
     AND expires_at <= $3 AND id <> ALL ($4)
   ORDER BY run_at LIMIT $5
     FOR NO KEY UPDATE SKIP LOCKED)";

// ---- usage

// Old rows in a range of blocks of the DEFAULT partition, if they are in the roll-up.
// $1 first block, $2 behind the last block, $3 rows before this
inline constexpr const char *kRemoveOldUsage = R"(
  DELETE FROM @s@.api_usage_default
   WHERE ctid >= ('(' || $1 || ',0)')::tid AND ctid < ('(' || $2 || ',0)')::tid AND created_at < $3
     AND id <= (SELECT folded_to FROM @s@.api_usage_folded))";

inline constexpr const char *kUsageBlocks = R"(
  SELECT pg_catalog.pg_relation_size('@s@.api_usage_default') / pg_catalog.current_setting('block_size')::bigint)";

// ---- the response cache

// $1 the last key seen, $2 limit, $3 now
inline constexpr const char *kWalkCache = R"(
  SELECT key, bytes, kept_until <= $3 FROM @s@.cache_store WHERE key > $1 ORDER BY key LIMIT $2)";

// An entry that was made anew meanwhile has not ended. $1 keys that have ended, $2 keys that have to go, $3 now
inline constexpr const char *kDropCached = R"(
  DELETE FROM @s@.cache_store AS c
   WHERE c.ctid = ANY (ARRAY(SELECT ctid FROM @s@.cache_store WHERE key = ANY ($1) AND kept_until <= $3
                                FOR UPDATE SKIP LOCKED))
      OR c.ctid = ANY (ARRAY(SELECT ctid FROM @s@.cache_store WHERE key = ANY ($2) FOR UPDATE SKIP LOCKED)))";

}  // namespace agent_queue::pg::sql
