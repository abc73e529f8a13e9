// The self test of the boundary in a background worker: aq_test_worker() starts one, waits for its end and says how it
// went. The worker tells over a segment of shared memory, because a process's exit code does not come back.
#include <cstdio>
#include <cstring>

#include "pg/api/boundary_test.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

enum Stage : int { kNotStarted, kConnected, kPassed };

const char *stage_name(int stage) {
  switch (stage) {
    case kNotStarted:
      return "ended before it was connected";
    case kConnected:
      return "failed: see the server's log";
    default:
      return "passed";
  }
}

// POD only, as all below.
void prepare_worker(BackgroundWorker *worker, dsm_handle handle) {
  memset(worker, 0, sizeof(*worker));
  std::snprintf(worker->bgw_name, sizeof(worker->bgw_name), "%s", "agent_queue boundary test");
  std::snprintf(worker->bgw_type, sizeof(worker->bgw_type), "%s", "agent_queue boundary test");
  std::snprintf(worker->bgw_library_name, sizeof(worker->bgw_library_name), "%s", "agent_queue");
  std::snprintf(worker->bgw_function_name, sizeof(worker->bgw_function_name), "%s", "aq_boundary_test_main");
  worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker->bgw_restart_time = BGW_NEVER_RESTART;
  worker->bgw_main_arg = ObjectIdGetDatum(MyDatabaseId);
  worker->bgw_notify_pid = MyProcPid;
  memcpy(worker->bgw_extra, &handle, sizeof(handle));
}

const char *run_worker() {
  dsm_segment *segment = dsm_create(sizeof(int), 0);
  auto *stage = static_cast<volatile int *>(dsm_segment_address(segment));
  *stage = kNotStarted;
  BackgroundWorker worker;
  prepare_worker(&worker, dsm_segment_handle(segment));
  BackgroundWorkerHandle *handle = nullptr;
  if (!RegisterDynamicBackgroundWorker(&worker, &handle))
    ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg("no background worker slot is free"),
                    errhint("Raise max_worker_processes.")));
  const BgwHandleStatus status = WaitForBackgroundWorkerShutdown(handle);
  const char *outcome = status == BGWH_STOPPED ? stage_name(*stage) : "was not waited for: the postmaster died";
  dsm_detach(segment);
  return outcome;
}

// Attached outside of any transaction, it stays until the process ends.
volatile int *attach_stage() {
  dsm_handle handle;
  memcpy(&handle, MyBgworkerEntry->bgw_extra, sizeof(handle));
  dsm_segment *segment = dsm_attach(handle);
  if (segment == nullptr) ereport(ERROR, (errmsg("the session that waits for the boundary test is gone")));
  return static_cast<volatile int *>(dsm_segment_address(segment));
}

void report_pass() {
  ereport(LOG, (errmsg("agent_queue boundary test passed")));
}

void run_in_worker(Oid database) {
  volatile int *stage = guard(attach_stage);
  guard([&] { BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0); });
  *stage = kConnected;
  boundary_self_test();
  guard(report_pass);
  *stage = kPassed;
}

}  // namespace

}  // namespace agent_queue::pg

// aq_test_worker() → text: "passed", or what else.
AQ_SQL_FUNCTION(aq_test_worker) {
  using namespace agent_queue::pg;
  const char *outcome = guard(run_worker);
  return guard([&] { return CStringGetTextDatum(outcome); });
}

extern "C" PGDLLEXPORT void aq_boundary_test_main(Datum main_arg) {
  BackgroundWorkerUnblockSignals();
  agent_queue::pg::enter([&] { agent_queue::pg::run_in_worker(DatumGetObjectId(main_arg)); });
  proc_exit(0);
}
