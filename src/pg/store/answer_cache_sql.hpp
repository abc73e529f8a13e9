// The statements of the answer cache: jobs that are completed by what is stored, and what is stored when a call has
// ended. The rules are those of job_store_sql.hpp.
#pragma once

#include "pg/store/rows_plan.hpp"

namespace agent_queue::pg::sql {

// Completes jobs by answers that are stored and were not stale before usable_since. A row must be as the caller knows
// it: its status, whose claim it is, and which attempt (NULL: any). cost and attempts are what a failed attempt adds.
// $9 now, $10 is the result's text wanted
inline constexpr RowColumn kServedRows[] = {{"id", "int8"},    {"status", "text"},
                                            {"claim", "uuid"}, {"started_at", "timestamptz"},
                                            {"key", "text"},   {"usable_since", "timestamptz"},
                                            {"cost", "text"},  {"attempts", "int4"}};
inline constexpr const char *kServe = R"(
  UPDATE @s@.agent_queue AS q
     SET status = 'completed', result = s.value, cached = true, stale = s.is_stale, provider = s.provider,
         model = s.model, input_tokens = s.input_tokens, output_tokens = s.output_tokens,
         cost_usd = coalesce(q.cost_usd, 0) + coalesce(s.cost::numeric, 0), retry_count = q.retry_count + s.attempts,
         error_code = NULL, error_message = NULL, wait_reason = NULL,
         started_at = coalesce(q.started_at, $9), completed_at = $9, claim = NULL, hold_usd = NULL
    FROM (SELECT ours.ctid AS row_at, c.value, c.provider, c.model, c.input_tokens, c.output_tokens, c.cost_usd,
                 c.expires_at <= $9 AS is_stale, r.cost, r.attempts
            FROM @rows@
            JOIN @s@.cache_store AS c ON c.key = r.key
            JOIN @s@.agent_queue AS ours ON ours.id = r.id
           WHERE c.expires_at > r.usable_since AND ours.status = r.status AND ours.claim IS NOT DISTINCT FROM r.claim
             AND (r.started_at IS NULL OR coalesce(ours.started_at, ours.created_at) = r.started_at)
             FOR NO KEY UPDATE OF ours SKIP LOCKED) AS s
   WHERE q.ctid = s.row_at
  RETURNING q.id, s.provider, s.model, s.cost_usd, s.is_stale, CASE WHEN $10 THEN s.value::text END)";

// Each costs nothing and says what it saved.
inline constexpr RowColumn kServedUsageRows[] = {
    {"queue_id", "int8"}, {"attempt", "int4"}, {"user_id", "uuid"}, {"agent_type", "text"},
    {"provider", "text"}, {"model", "text"},   {"saved", "text"},   {"created_at", "timestamptz"}};
inline constexpr const char *kServedUsage = R"(
  INSERT INTO @s@.api_usage (queue_id, attempt, part, user_id, agent_type, provider, model, tokens_used, input_tokens,
                             cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_usd, saved_usd,
                             cached, estimated, latency_ms, created_at)
  SELECT r.queue_id, r.attempt, 1, r.user_id, r.agent_type, r.provider, r.model, 0, 0, 0, 0, 0, 0, 0, r.saved::numeric,
         true, false, 0, r.created_at
    FROM @rows@
  ON CONFLICT DO NOTHING)";

// Those keys that are there and locked by somebody else: no statement waits for a row. $1 keys
inline constexpr const char *kLockedKeys = R"(
  WITH locked AS MATERIALIZED (
    SELECT key FROM @s@.cache_store WHERE key = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)
  SELECT c.key FROM @s@.cache_store AS c
   WHERE c.key = ANY ($1) AND NOT EXISTS (SELECT FROM locked AS l WHERE l.key = c.key))";

// dependencies: a JSON array. An answer that is asked anew takes the old one's place, and stays whose it was.
inline constexpr RowColumn kStoredRows[] = {{"key", "text"},
                                            {"type", "text"},
                                            {"value", "text"},
                                            {"user_id", "uuid"},
                                            {"created_at", "timestamptz"},
                                            {"expires_at", "timestamptz"},
                                            {"kept_until", "timestamptz"},
                                            {"dependencies", "text"},
                                            {"agent_type", "text"},
                                            {"request", "text"},
                                            {"provider", "text"},
                                            {"model", "text"},
                                            {"input", "int8"},
                                            {"output", "int8"},
                                            {"cost", "text"}};
inline constexpr const char *kStoreAnswers = R"(
  INSERT INTO @s@.cache_store AS c (key, type, value, user_id, created_at, expires_at, kept_until, bytes, dependencies,
                                    agent_type, request, provider, model, input_tokens, output_tokens, cost_usd)
  SELECT r.key, r.type, r.value::jsonb, r.user_id, r.created_at, r.expires_at, r.kept_until,
         octet_length(r.value) + coalesce(octet_length(r.request), 0) + octet_length(r.key) + 200,
         CASE WHEN r.dependencies IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(r.dependencies::jsonb)) END,
         r.agent_type, r.request::jsonb, r.provider, r.model, r.input, r.output, r.cost::numeric
    FROM @rows@
  ON CONFLICT (key) DO UPDATE
     SET value = excluded.value, created_at = excluded.created_at, expires_at = excluded.expires_at,
         kept_until = excluded.kept_until, bytes = excluded.bytes, request = excluded.request,
         provider = excluded.provider, model = excluded.model, input_tokens = excluded.input_tokens,
         output_tokens = excluded.output_tokens, cost_usd = excluded.cost_usd)";

// All followers of a key have one run_at: agent_queue_due finds them by it. $1 run_at, $2 cache_key, $3 limit
inline constexpr const char *kFollowers = R"(
  SELECT id, user_id, agent_type, retry_count FROM @s@.agent_queue
   WHERE status = 'scheduled' AND claim_key IS NOT NULL AND run_at = $1 AND wait_reason = 'coalesced'
     AND cache_key = $2
   LIMIT $3)";

// The oldest become pending, to be claimed again. $1 run_at, $2 cache_key, $3 limit
inline constexpr const char *kPromoteFollower = R"(
  UPDATE @s@.agent_queue AS q SET status = 'pending', wait_reason = NULL
    FROM (SELECT ctid AS row_at FROM @s@.agent_queue
           WHERE status = 'scheduled' AND claim_key IS NOT NULL AND run_at = $1 AND wait_reason = 'coalesced'
             AND cache_key = $2
           ORDER BY id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED) AS f
   WHERE q.ctid = f.row_at
  RETURNING q.queue, q.agent_type, q.claim_key)";

// Whom they follow is not known any more.
inline constexpr const char *kReleaseFollowers = R"(
  UPDATE @s@.agent_queue AS q SET status = 'pending', wait_reason = NULL
    FROM (SELECT ctid AS row_at FROM @s@.agent_queue
           WHERE status = 'scheduled' AND claim_key IS NOT NULL AND wait_reason = 'coalesced'
             FOR NO KEY UPDATE SKIP LOCKED) AS f
   WHERE q.ctid = f.row_at
  RETURNING q.queue, q.agent_type, q.claim_key)";

}  // namespace agent_queue::pg::sql
