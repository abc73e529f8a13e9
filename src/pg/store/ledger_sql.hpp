// What the ledger is made from, and the alerts. "@s@" is the extension's schema.
#pragma once

namespace agent_queue::pg::sql {

// When the newest attempt was started: later than now where the clock was set back. $1 what is later than this is an
// error of somebody's, and not believed
inline constexpr const char *kNewestStart = R"(
  SELECT (extract(epoch FROM max(n.started_at)) * 1000000)::bigint
    FROM ((SELECT created_at FROM @s@.api_usage ORDER BY id DESC LIMIT 1)
          UNION ALL
          SELECT started_at FROM @s@.agent_queue
           WHERE status = 'processing' AND claim_key IS NOT NULL AND claim IS NOT NULL
          UNION ALL
          SELECT started_at FROM @s@.agent_orphans) AS n (started_at)
   WHERE n.started_at < $1)";

// What was spent in the running day and month: by the attempts themselves, because the days of the roll-up are those of
// the time zone that held when it was made. $1 the day's start, $2 the month's
inline constexpr const char *kSpent = R"(
  SELECT user_id, agent_type, sum(cost_usd) FILTER (WHERE created_at >= $1), sum(cost_usd)
    FROM @s@.api_usage
   WHERE created_at >= $2 AND cost_usd > 0
   GROUP BY user_id, agent_type)";

// What attempts hold whose worker may be dead. Uses agent_queue_due. One statement: with one snapshot, so that a job
// that is cancelled meanwhile counts once.
inline constexpr const char *kHeld = R"(
  SELECT user_id, agent_type, hold_usd, (extract(epoch FROM coalesce(started_at, created_at)) * 1000000)::bigint
    FROM @s@.agent_queue
   WHERE status = 'processing' AND claim_key IS NOT NULL AND claim IS NOT NULL
  UNION ALL
  SELECT user_id, agent_type, hold_usd, (extract(epoch FROM started_at) * 1000000)::bigint FROM @s@.agent_orphans)";

// Newest first: ids are given in the order of the enqueues, but for those of transactions that overlap.
inline constexpr const char *kNewestJobs = R"(
  SELECT user_id, (extract(epoch FROM created_at) * 1000000)::bigint
    FROM @s@.agent_queue WHERE claim_key IS NOT NULL ORDER BY id DESC)";

// Jobs of today that were deleted meanwhile: where queues keep finished jobs for less than a day, or a number of them.
// $1 the day's start
inline constexpr const char *kDeletedJobs = R"(
  SELECT u.user_id, count(DISTINCT u.queue_id)
    FROM @s@.api_usage AS u
   WHERE u.created_at >= $1 AND u.user_id IS NOT NULL
     AND NOT EXISTS (SELECT FROM @s@.agent_queue AS q WHERE q.id = u.queue_id)
   GROUP BY u.user_id)";

// $1 audience, $2 user_id, $3 scope, $4 name, $5 period, $6 window_start, $7 threshold_percent, $8 spent_usd, $9
// limit_usd
inline constexpr const char *kInsertAlert = R"(
  INSERT INTO @s@.agent_alerts (created_at, audience, user_id, scope, name, period, window_start, threshold_percent,
                                spent_usd, limit_usd)
  VALUES (pg_catalog.clock_timestamp(), $1, $2, $3, $4, $5, $6, $7, $8::numeric, $9::numeric)
  ON CONFLICT ON CONSTRAINT agent_alerts_once DO NOTHING
  RETURNING id)";

}  // namespace agent_queue::pg::sql
