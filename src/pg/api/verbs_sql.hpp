// The statements of cancel_agent() and retry_agent(). "@s@" is the extension's schema.
#pragma once

namespace agent_queue::pg::sql {

// With the caller's rights and search_path: what the caller may not see is not there. $1 id
inline constexpr const char *kFindJob = R"(
  SELECT user_id::pg_catalog.uuid, status FROM @s@.agent_queue WHERE id OPERATOR(pg_catalog.=) $1)";

// The rest as the extension's owner. Waits for whoever has the row locked, as any UPDATE does, and sees what became of
// it; the worker never waits for a row, so there is no circle. $1 id
inline constexpr const char *kLockJob = R"(
  SELECT status, queue, agent_type, priority::int, expires_at IS NOT NULL, coalesce(started_at, created_at)::timestamptz,
         claim::uuid
    FROM @s@.agent_queue WHERE id = $1 FOR NO KEY UPDATE)";

// What a running call holds goes over to agent_orphans. $1 id, $2 now
inline constexpr const char *kCancelJob = R"(
  WITH orphan AS (
    INSERT INTO @s@.agent_orphans (queue_id, started_at, claim, user_id, retry_count, request_bytes, agent_type,
                                   hold_usd)
    SELECT id, coalesce(started_at, created_at), claim, user_id, retry_count, octet_length(request_data::text),
           agent_type, hold_usd
      FROM @s@.agent_queue
     WHERE id = $1 AND claim IS NOT NULL AND claim_key IS NOT NULL
    ON CONFLICT DO NOTHING)
  UPDATE @s@.agent_queue
     SET status = 'failed', error_code = 'cancelled', error_message = 'the job was cancelled', completed_at = $2,
         wait_reason = NULL, claim = NULL, hold_usd = NULL
   WHERE id = $1)";

// What was spent on it (tokens, cost) stays. $1 id, $2 now, $3 expires_at, $4 claim_key
inline constexpr const char *kRetryJob = R"(
  UPDATE @s@.agent_queue
     SET status = 'pending', retry_count = 0, result = NULL, error_code = NULL, error_message = NULL, run_at = $2,
         expires_at = $3, started_at = NULL, completed_at = NULL, wait_reason = NULL, claim = NULL, hold_usd = NULL,
         claim_key = $4
   WHERE id = $1)";

}  // namespace agent_queue::pg::sql
