// retry_agent(): a failed job runs again, as if it were new. Regime: guarded C++.
// Tested in sql/verbs.sql, test/isolation/specs/cancel_retry.spec and test/tap/220_verbs.pl.
#include <string>

#include "core/job/claim_key.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/owned_job.hpp"
#include "pg/api/verbs_sql.hpp"
#include "pg/api/work_announcer.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/store/config_cache.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

[[noreturn]] void refuse_type(JobId id, const std::string &agent_type) {
  raise(sqlstate("42704"), {.message = to_server_encoding("agent type \"" + agent_type + "\" does not exist any more"),
                            .detail = "Without it " + job_name(id) + " cannot run again.",
                            .hint = "Insert it into the table agent_types, and its route into agent_routes."});
}

// False: it has not failed.
bool retry_job(JobId id) {
  const Installation where = installation();
  if (find_own_job(id, where) != "failed") return false;  // without a lock: it may be running
  const LockedJob job = lock_job(id, where);
  if (job.status != "failed") return false;
  const std::shared_ptr<const Catalog> catalog = current_catalog();
  const AgentType *type = catalog->agent_type(job.agent_type);
  if (type == nullptr) refuse_type(id, job.agent_type);

  static auto *retry = new SchemaPlan(sql::kRetryJob, {INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID});
  const TimestampTz now = GetCurrentTimestamp();
  const std::int64_t key = claim_key(Micros{now}, job.priority);
  const bool expires = job.expires && type->expires_in;
  Datum values[] = {Int64GetDatum(id.value), TimestampTzGetDatum(now),
                    expires ? TimestampTzGetDatum(now + type->expires_in->count()) : 0, Int64GetDatum(key)};
  const char nulls[] = {' ', ' ', expires ? ' ' : 'n', ' '};
  update_job(id, *retry, values, nulls, where);
  note_job(job.queue, type->name, key);
  return true;
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_retry_agent) {
  return BoolGetDatum(agent_queue::pg::retry_job(agent_queue::JobId{PG_GETARG_INT64(0)}));
}
