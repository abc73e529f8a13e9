// cancel_agent(): ends a job that has not ended. Regime: guarded C++.
// Tested in sql/verbs.sql, test/isolation/specs/cancel_*.spec and test/tap/220_verbs.pl.
#include "pg/api/cancel_announcer.hpp"
#include "pg/api/owned_job.hpp"
#include "pg/api/verbs_sql.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/store/notifier.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// False: it had ended already.
bool cancel_job(JobId id) {
  const Installation where = installation();
  const std::string seen = find_own_job(id, where);
  if (seen == "completed" || seen == "failed") return false;
  const LockedJob job = lock_job(id, where);
  if (job.is_ended()) return false;

  static auto *cancel = new SchemaPlan(sql::kCancelJob, {INT8OID, TIMESTAMPTZOID});
  Datum values[] = {Int64GetDatum(id.value), TimestampTzGetDatum(GetCurrentTimestamp())};
  update_job(id, *cancel, values, nullptr, where);
  note_cancelled(id, job.claim, job.started_at);
  notify_of({id, "failed", {}});
  return true;
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_cancel_agent) {
  return BoolGetDatum(agent_queue::pg::cancel_job(agent_queue::JobId{PG_GETARG_INT64(0)}));
}
