#include "pg/api/owned_job.hpp"

#include <algorithm>

#include "pg/api/caller.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/verbs_sql.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/identity.hpp"
#include "pg/wrap/search_path.hpp"
#include "pg/wrap/spi.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// POD: rows in SPI's memory.
struct FoundRow {
  const unsigned char *user;  // null: of the system
  const char *status;
};

struct LockedRow {
  const char *status;
  const char *queue;
  const char *agent_type;
  std::int32_t priority;
  bool expires;
  TimestampTz started_at;
  const unsigned char *claim;  // null: none
};

// POD only.
const unsigned char *read_uuid(int column) {
  bool is_null = false;
  const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &is_null);
  return is_null ? nullptr : DatumGetUUIDP(value)->data;
}

FoundRow read_found() {
  return {read_uuid(1), SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2)};
}

LockedRow read_locked() {
  const HeapTuple tuple = SPI_tuptable->vals[0];
  const TupleDesc description = SPI_tuptable->tupdesc;
  bool is_null = false;
  LockedRow row = {};
  row.status = SPI_getvalue(tuple, description, 1);
  row.queue = SPI_getvalue(tuple, description, 2);
  row.agent_type = SPI_getvalue(tuple, description, 3);
  row.priority = DatumGetInt32(SPI_getbinval(tuple, description, 4, &is_null));
  row.expires = DatumGetBool(SPI_getbinval(tuple, description, 5, &is_null));
  row.started_at = DatumGetTimestampTz(SPI_getbinval(tuple, description, 6, &is_null));
  row.claim = read_uuid(7);
  return row;
}

std::string utf8_of(const char *text) {
  std::string storage;
  return std::string(to_utf8(text, storage));
}

// The caller's rights end here.
class OwnersStatement {
 public:
  explicit OwnersStatement(const Installation &where) : owner_(where.owner) {}

 private:
  ActAs owner_;
  LockedSearchPath path_;
  SpiScope spi_;
};

}  // namespace

std::string job_name(JobId id) {
  return "job " + std::to_string(id.value);
}

void raise_no_job(JobId id) {
  raise(sqlstate("P0002"),
        {.message = job_name(id) + " does not exist or is not visible to you", .detail = {}, .hint = {}});
}

std::string find_own_job(JobId id, const Installation &where) {
  static auto *plan = new SchemaPlan(sql::kFindJob, {INT8OID});
  std::optional<UserId> user;
  std::string status;
  {
    SpiScope spi;
    Datum values[] = {Int64GetDatum(id.value)};
    // Read-write, for a snapshot that sees what this transaction has done.
    if (plan->at(where).run(values, nullptr, KeptPlan::Mode::read_write) == 0) raise_no_job(id);
    const FoundRow row = guard(read_found);
    status = row.status;
    if (row.user != nullptr) std::copy(row.user, row.user + UUID_LEN, user.emplace().begin());
  }
  // Before the row is locked: nobody holds up a job that is not his.
  if (!may_change_job_of(user, where)) raise_no_job(id);
  return status;
}

LockedJob lock_job(JobId id, const Installation &where) {
  static auto *plan = new SchemaPlan(sql::kLockJob, {INT8OID});
  const OwnersStatement as_owner(where);
  Datum values[] = {Int64GetDatum(id.value)};
  if (plan->at(where).run(values, nullptr, KeptPlan::Mode::read_write) == 0) raise_no_job(id);
  const LockedRow row = guard(read_locked);
  LockedJob job;
  job.status = row.status;
  job.queue = utf8_of(row.queue);
  job.agent_type = utf8_of(row.agent_type);
  job.priority = row.priority;
  job.expires = row.expires;
  job.started_at = row.started_at;
  if (row.claim != nullptr) job.claim = claim_from_bytes(row.claim);
  return job;
}

void update_job(JobId id, SchemaPlan &plan, std::uintptr_t *values, const char *nulls, const Installation &where) {
  const OwnersStatement as_owner(where);
  if (plan.at(where).run(values, nulls, KeptPlan::Mode::read_write) == 1) return;
  raise(sqlstate("55000"), {.message = "a trigger on agent_queue kept " + job_name(id) + " as it was",
                            .detail = {},
                            .hint = "Let the trigger return NEW, or raise an error."});
}

}  // namespace agent_queue::pg
