// A measuring aid, not part of the queue's work: what claim and settle alone can do, in rows per second, with the
// store's own statements and no network, prompt, usage row or notification. bench/drain compares a worker with it.
// Started by bench/ as a dynamic background worker in a database whose workers are paused; ends when nothing waits.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <stdexcept>
#include <string>
#include <vector>

#include "pg/boundary/entry.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/shared/workers.hpp"
#include "pg/store/spi_job_store.hpp"
#include "pg/worker/pg_clock.hpp"
#include "pg/worker/pg_log.hpp"
#include "pg/worker/session.hpp"
#include "pg/wrap/guc.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

Settlement finished(const ClaimedJob &job, WallTime now) {
  Settlement settlement;
  settlement.id = job.id;
  settlement.started_at = job.started_at;
  settlement.result = R"({"text": "The customer reports that the delivery arrived two days late.", "model": "none"})";
  settlement.provider = "none";
  settlement.model = "none";
  settlement.ended_at = now;
  return settlement;
}

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void measure(shared::WorkerSeat seat, ClaimToken claim) {
  PgLog log;
  SpiJobStore store(seat, claim, log);
  std::vector<Settlement> settlements;
  std::size_t rows = 0;
  const double cpu_before = cpu_seconds();
  const SteadyTime before = read_clocks().steady;
  do {
    const Now now = read_clocks();
    RoundResult result =
        store.round({.settlements = settlements, .parts = {}, .claim_limit = settings::claim_batch}, now);
    if (result.failure) throw std::runtime_error("store ceiling: " + result.failure->message);
    rows += settlements.size();
    settlements.clear();
    for (const ClaimedJob &job : result.report.claimed) settlements.push_back(finished(job, now.wall));
    guard([] { CHECK_FOR_INTERRUPTS(); });
  } while (!settlements.empty());
  const double seconds = std::chrono::duration<double>(read_clocks().steady - before).count();
  char line[160];
  std::snprintf(line, sizeof(line), "store ceiling: rows %zu seconds %.3f rows_per_s %.0f cpu_us_per_row %.1f", rows,
                seconds, static_cast<double>(rows) / seconds,
                1e6 * (cpu_seconds() - cpu_before) / static_cast<double>(rows));
  log.write(LogLevel::log, line);
}

// Plain code: runs at every kind of exit.
void on_exit(int, Datum slot) {
  shared::leave_worker(DatumGetInt32(slot));
}

void run(Oid database) {
  install_worker_signals();
  guard([&] { BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0); });
  force_session_settings();
  const int slot = shared::reserve_worker(database);
  if (slot < 0) throw std::runtime_error("store ceiling: no worker slot is free");
  guard([&] { before_shmem_exit(on_exit, Int32GetDatum(slot)); });
  measure({database, slot}, shared::occupy_worker(slot));
}

// POD only.
BgwHandleStatus start_and_wait(const char *function) {
  BackgroundWorker worker = {};
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = BGW_NEVER_RESTART;
  worker.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId);
  worker.bgw_notify_pid = MyProcPid;
  std::snprintf(worker.bgw_library_name, sizeof(worker.bgw_library_name), "%s", "agent_queue");
  std::snprintf(worker.bgw_function_name, sizeof(worker.bgw_function_name), "%s", function);
  std::snprintf(worker.bgw_name, sizeof(worker.bgw_name), "%s", "agent_queue store ceiling");
  std::snprintf(worker.bgw_type, sizeof(worker.bgw_type), "%s", "agent_queue store ceiling");
  BackgroundWorkerHandle *handle = nullptr;
  if (!RegisterDynamicBackgroundWorker(&worker, &handle)) elog(ERROR, "no background worker slot is free");
  return WaitForBackgroundWorkerShutdown(handle);
}

}  // namespace

}  // namespace agent_queue::pg

extern "C" PGDLLEXPORT void aq_store_ceiling_main(std::uintptr_t database_oid) {
  const Oid database = DatumGetObjectId(database_oid);
  agent_queue::pg::enter([&database] { agent_queue::pg::run(database); });
}

AQ_SQL_FUNCTION(aq_store_ceiling) {
  agent_queue::pg::guard([] { agent_queue::pg::start_and_wait("aq_store_ceiling_main"); });
  return BoolGetDatum(true);
}
