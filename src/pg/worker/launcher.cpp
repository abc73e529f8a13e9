#include "pg/worker/launcher.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include "pg/boundary/entry.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/shared/databases.hpp"
#include "pg/worker/database_list.hpp"
#include "pg/worker/pg_clock.hpp"
#include "pg/worker/pg_log.hpp"
#include "pg/worker/session.hpp"
#include "pg/worker/worker_starter.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr Micros kListInterval{std::chrono::seconds(10)};  // new databases that nobody told us of
constexpr long kTickMs = 1000;

class Launcher {
 public:
  Launcher() : starter_(log_) {}

  void run() {
    while (true) {
      guard([] { CHECK_FOR_INTERRUPTS(); });
      if (ConfigReloadPending) {
        ConfigReloadPending = false;
        guard([] { ProcessConfigFile(PGC_SIGHUP); });
      }
      const Now now = read_clocks();
      const bool is_asked = shared::take_launcher_request();
      if (is_asked || now.steady >= next_list_) list_databases(now);
      starter_.reap(now);
      serve_databases(now);
      wait();
    }
  }

 private:
  static void wait() {
    guard([] {
      (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kTickMs, PG_WAIT_EXTENSION);
      ResetLatch(MyLatch);
    });
  }

  // New databases get a slot, dropped ones lose theirs; those without the extension are looked at again only when a
  // CREATE EXTENSION says so (it sets their presence to unknown).
  void list_databases(Now now) {
    next_list_ = now.steady + kListInterval;
    const std::vector<DatabaseRow> rows = read_databases();
    const auto is_servable = [&](shared::DatabaseOid oid) {
      return std::any_of(rows.begin(), rows.end(),
                         [&](const DatabaseRow &row) { return row.oid == oid && row.is_servable; });
    };
    shared::DatabaseView known[256];
    const int count = shared::list_databases(known, 256);
    for (int i = 0; i < count; ++i)
      if (!is_servable(known[i].oid) && known[i].blocker_pid == 0) shared::forget_database(known[i].oid);
    for (const DatabaseRow &row : rows) {
      if (!row.is_servable || shared::find_database(row.oid).oid != 0) continue;
      if (!shared::set_presence(row.oid, shared::Presence::unknown) && now.steady >= next_complaint_) {
        next_complaint_ = now.steady + std::chrono::minutes(1);
        log_.write(LogLevel::warning, "too many databases: some are not looked at");
      }
    }
  }

  void serve_databases(Now now) {
    shared::DatabaseView known[256];
    const int count = shared::list_databases(known, 256);
    for (int i = 0; i < count; ++i) {
      const shared::DatabaseView &database = known[i];
      if (database.blocker_pid != 0) {
        if (is_running(database.blocker_pid)) continue;
        shared::block_database(database.oid, 0);  // it died without unblocking
      }
      if (database.presence == shared::Presence::unknown || database.presence == shared::Presence::probing)
        starter_.probe(database.oid, now);
      const shared::DatabaseView seen = shared::find_database(database.oid);
      if (seen.presence != shared::Presence::present || seen.blocker_pid != 0) continue;
      const int most = std::max(settings::min_workers, settings::max_workers);
      starter_.fill(seen.oid, std::clamp(seen.wanted_workers, settings::min_workers, most), now);
    }
  }

  static bool is_running(int pid) {
    return guard([&] { return BackendPidGetProc(pid) != nullptr; });
  }

  PgLog log_;
  WorkerStarter starter_;
  SteadyTime next_list_{};
  SteadyTime next_complaint_{};
};

void launch() {
  install_worker_signals();
  guard([] { BackgroundWorkerInitializeConnection(nullptr, nullptr, 0); });
  shared::register_launcher();
  Launcher launcher;
  launcher.run();
}

void probe(Oid database) {
  install_worker_signals();
  guard([&] { BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0); });
  force_session_settings();
  Transaction transaction;
  const bool is_there = find_installation().has_value();
  transaction.commit();
  shared::set_presence(database, is_there ? shared::Presence::present : shared::Presence::absent);
}

}  // namespace

// POD only: in _PG_init.
void register_launcher_process() {
  BackgroundWorker worker = {};
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = 1;
  std::snprintf(worker.bgw_library_name, sizeof(worker.bgw_library_name), "agent_queue");
  std::snprintf(worker.bgw_function_name, sizeof(worker.bgw_function_name), "aq_launcher_main");
  std::snprintf(worker.bgw_name, sizeof(worker.bgw_name), "agent_queue launcher");
  std::snprintf(worker.bgw_type, sizeof(worker.bgw_type), "agent_queue launcher");
  RegisterBackgroundWorker(&worker);
}

}  // namespace agent_queue::pg

extern "C" PGDLLEXPORT void aq_launcher_main(std::uintptr_t) {
  agent_queue::pg::enter([] { agent_queue::pg::launch(); });
}

extern "C" PGDLLEXPORT void aq_probe_main(std::uintptr_t database_oid) {
  const Oid database = DatumGetObjectId(database_oid);
  agent_queue::pg::enter([&database] { agent_queue::pg::probe(database); });
}
