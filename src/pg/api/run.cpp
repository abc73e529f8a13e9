// CALL run_agent(): enqueues, commits and waits. It looks at the job in transactions of its own, each of which ends
// before it sleeps: no snapshot and no lock is held while the provider works. Regime: guarded C++.
// Tested in sql/run.sql and test/tap/220_verbs.pl.
#include <string>

#include "pg/api/enqueue.hpp"
#include "pg/api/job_wait.hpp"
#include "pg/api/owned_job.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/procedure.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr EnqueueArguments kRunArguments{.user = 3,
                                         .priority = 4,
                                         .delay = EnqueueArguments::kNone,
                                         .expires_in = 5,
                                         .max_retries = 6,
                                         .skip_cache = 7,
                                         .key = 8,
                                         .queue = 9};
constexpr int kTimeoutArgument = 10;

void check_may_commit(FunctionCallInfo fcinfo) {
  const bool is_call = fcinfo->context != nullptr && IsA(fcinfo->context, CallContext);
  if (is_call && !reinterpret_cast<const CallContext *>(fcinfo->context)->atomic && !IsSubTransaction()) return;
  raise(sqlstate("25001"),
        {.message = "run_agent cannot run inside a transaction block, a function or a block with EXCEPTION",
         .detail = "It commits the job before it waits, because no worker sees it before.",
         .hint = "Use enqueue_agent and, after the commit, wait_agent in a statement of its own."});
}

// The job is committed: an error from here on leaves it as it is.
Datum wait_for_committed(JobId id, std::chrono::milliseconds timeout) {
  try {
    return wait_for_job(id, timeout, ProcedureScope::commit);
  } catch (PgError &error) {
    if (error.sqlstate() == sqlstate("P0002").code) throw;  // deleted meanwhile
    const std::string number = std::to_string(id.value);
    error.explain("The wait ended, job " + number + " goes on.",
                  "wait_agent(" + number + ") waits again, cancel_agent(" + number + ") ends the job.");
    throw;
  }
}

// POD only: the procedure's one INOUT parameter, as the row that CALL shows.
Datum make_row(FunctionCallInfo fcinfo, Datum result) {
  TupleDesc description = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE)
    elog(ERROR, "run_agent does not return a row");
  bool is_null = false;
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), &result, &is_null));
}

Datum run_agent(FunctionCallInfo fcinfo) {
  check_may_commit(fcinfo);
  if (PG_ARGISNULL(kTimeoutArgument))
    raise(sqlstate("22004"), {.message = "timeout is NULL", .detail = {}, .hint = {}});
  const std::chrono::milliseconds timeout = read_timeout(PG_GETARG_DATUM(kTimeoutArgument));
  const ProcedureScope procedure;
  EnqueueTerms terms = read_enqueue_terms(fcinfo, sql::Jobs::one, kRunArguments);
  const JobId id{DatumGetInt64(enqueue_one(terms))};
  ProcedureScope::commit();
  const Datum result = wait_for_committed(id, timeout);
  return guard([&] { return make_row(fcinfo, result); });
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_run_agent) {
  return agent_queue::pg::run_agent(fcinfo);
}
