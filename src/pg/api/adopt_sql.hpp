// The statements of adopt_jobs(). "@s@" is the extension's schema.
#pragma once

namespace agent_queue::pg::sql {

// Gives the jobs that no worker touches a place in line, and returns for each lane their number and the lowest
// place of those that may run at once (NULL: none may). Finished jobs are left as they are.
//
// The place is core/job/claim_key.hpp's: microseconds from 2000-01-01 UTC (946684800 seconds after 1970) to run_at,
// plus 30,000,000 for each step of priority. extract() is exact: it gives a numeric. $1: now
inline constexpr const char *kAdopt = R"(
  WITH adopted AS (
    UPDATE @s@.agent_queue AS q
       SET status = CASE WHEN q.status = 'scheduled' AND q.run_at > $1 THEN 'scheduled' ELSE 'pending' END,
           wait_reason = CASE WHEN q.status = 'scheduled' AND q.run_at > $1 THEN coalesce(q.wait_reason, 'delayed') END,
           claim = NULL,
           hold_usd = NULL,
           claim_key = (extract(epoch FROM CASE WHEN isfinite(q.run_at) THEN q.run_at ELSE $1 END) * 1000000)::bigint
                       - 946684800000000 + q.priority * bigint '30000000'
     WHERE q.claim_key IS NULL AND q.status IN ('pending', 'scheduled', 'processing')
    RETURNING q.queue, q.agent_type, q.status, q.claim_key)
  SELECT a.queue, a.agent_type, count(*), min(a.claim_key) FILTER (WHERE a.status = 'pending')
    FROM adopted AS a GROUP BY a.queue, a.agent_type)";

// From here on this cluster and database are the jobs' home, the finished ones' too: retention may delete them.
inline constexpr const char *kMakeHome = R"(
  INSERT INTO @s@.agent_queue_origin AS o (system_identifier, database_oid, is_history_adopted)
  SELECT c.system_identifier, d.oid, true
    FROM pg_control_system() AS c, pg_database AS d WHERE d.datname = current_database()
  ON CONFLICT ((true)) DO UPDATE
     SET system_identifier = excluded.system_identifier, database_oid = excluded.database_oid,
         is_history_adopted = true)";

}  // namespace agent_queue::pg::sql
