// One job that its owner wants to change: looked up with the caller's rights, locked and written with those of the
// extension's owner, because callers have no right to UPDATE. What fires on the table then is fired as in the worker's
// own transactions: as the extension's owner, who alone lets triggers be made there, with search_path = pg_catalog,
// pg_temp and SET ROLE refused. Regime: guarded C++. Tested in sql/verbs.sql.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/schema_plan.hpp"

namespace agent_queue::pg {

std::string job_name(JobId id);

// P0002: there is no such job, or it is not visible to the caller, or not the caller's (caller.hpp).
[[noreturn]] void raise_no_job(JobId id);
// The job's status as the caller sees it.
std::string find_own_job(JobId id, const Installation &where);

struct LockedJob {
  std::string status;
  std::string queue;       // UTF-8
  std::string agent_type;  // UTF-8
  int priority = 0;
  bool expires = false;
  std::int64_t started_at = 0;      // TimestampTz: of the last attempt
  std::optional<ClaimToken> claim;  // of the worker that holds it

  bool is_ended() const { return status == "completed" || status == "failed"; }
};
// P0002: it was deleted meanwhile. 40001: changed meanwhile, in an isolation that must not see it.
LockedJob lock_job(JobId id, const Installation &where);

// Runs `plan` for the locked job. 55000: a trigger of the table's owner kept the row as it was.
void update_job(JobId id, SchemaPlan &plan, std::uintptr_t *values, const char *nulls, const Installation &where);

}  // namespace agent_queue::pg
