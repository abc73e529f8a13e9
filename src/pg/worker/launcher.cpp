#include "pg/worker/launcher.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <unordered_set>
#include <vector>

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
constexpr Micros kTick{std::chrono::seconds(1)};
constexpr Micros kComplaintInterval{std::chrono::minutes(1)};

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
      wait(now);
    }
  }

 private:
  void wait(Now now) {
    const Micros rest = starter_.next_try(now, now.steady + kTick) - now.steady;
    const auto ms = static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(rest).count());
    guard([&] {
      (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms, PG_WAIT_EXTENSION);
      ResetLatch(MyLatch);
    });
  }

  // New databases get a slot, dropped ones lose theirs.
  void list_databases(Now now) {
    const std::vector<DatabaseRow> rows = read_databases();
    if (shared::is_first_listing_due()) note_first_listing(rows);
    forget_databases(rows);
    if (shared::take_slot_refusal()) without_extension_.clear();  // one of them has got it
    const int refused = add_databases(rows, now);
    const bool is_full = count_present() == shared::kDatabasesMax;
    if (refused > 0 && is_full && now.steady >= next_complaint_) {
      next_complaint_ = now.steady + kComplaintInterval;
      log_.write(LogLevel::warning, "more than " + std::to_string(shared::kDatabasesMax) +
                                        " databases have the extension; the others have no workers");
    }
    // Those that were refused have a chance as soon as others were found to lack the extension.
    next_list_ = now.steady + (refused > 0 && !is_full ? kTick : kListInterval);
  }

  void note_first_listing(const std::vector<DatabaseRow> &rows) {
    std::vector<shared::DatabaseOid> oids;
    for (const DatabaseRow &row : rows) oids.push_back(row.oid);
    const int left_out = shared::note_first_listing(oids.data(), static_cast<int>(oids.size()));
    if (left_out > 0)
      log_.write(LogLevel::warning, "too many databases to pause after the recovery: jobs run in " +
                                        std::to_string(left_out) + " of them; see agent_queue.start_paused");
  }

  void forget_databases(const std::vector<DatabaseRow> &rows) {
    std::unordered_set<shared::DatabaseOid> servable;
    for (const DatabaseRow &row : rows)
      if (row.is_servable) servable.insert(row.oid);
    shared::DatabaseView known[shared::kDatabasesMax];
    const int count = shared::list_databases(known, shared::kDatabasesMax);
    for (int i = 0; i < count; ++i) {
      if (servable.count(known[i].oid) != 0 || known[i].blocker_pid != 0) continue;
      shared::forget_database(known[i].oid);
      starter_.forget(known[i].oid);
    }
    std::erase_if(without_extension_, [&](shared::DatabaseOid oid) { return servable.count(oid) == 0; });
  }

  // Returns how many found no slot. Those without the extension lose theirs when others need it, and are looked at
  // again only when a CREATE EXTENSION says so: it makes them a slot.
  int add_databases(const std::vector<DatabaseRow> &rows, Now now) {
    int refused = 0;
    for (const DatabaseRow &row : rows) {
      if (!row.is_servable || shared::find_database(row.oid).oid != 0) continue;
      if (without_extension_.count(row.oid) != 0 || starter_.is_probe_put_off(row.oid, now)) continue;
      if (!shared::add_database(row.oid)) ++refused;
    }
    return refused;
  }

  static int count_present() {
    shared::DatabaseView known[shared::kDatabasesMax];
    const int count = shared::list_databases(known, shared::kDatabasesMax);
    return static_cast<int>(std::count_if(known, known + count, [](const shared::DatabaseView &database) {
      return database.presence == shared::Presence::present;
    }));
  }

  void serve_databases(Now now) {
    shared::DatabaseView known[shared::kDatabasesMax];
    const int count = shared::list_databases(known, shared::kDatabasesMax);
    for (int i = 0; i < count; ++i) {
      if (known[i].blocker_pid != 0) {
        if (is_running(known[i].blocker_pid)) continue;
        shared::block_database(known[i].oid, 0);  // it died without unblocking
      }
      serve(known[i], now);
    }
  }

  void serve(const shared::DatabaseView &database, Now now) {
    switch (database.presence) {
      case shared::Presence::unknown:
      case shared::Presence::probing:  // by a launcher before this one, if not by this one
      case shared::Presence::unreachable:
        starter_.probe(database.oid, now);
        return;
      case shared::Presence::absent:
        without_extension_.insert(database.oid);
        return;
      case shared::Presence::present:
        without_extension_.erase(database.oid);
        const int most = std::max(settings::min_workers, settings::max_workers);
        starter_.fill(database.oid, std::clamp(database.wanted_workers, settings::min_workers, most), now);
        return;
    }
  }

  static bool is_running(int pid) {
    return guard([&] { return BackendPidGetProc(pid) != nullptr; });
  }

  PgLog log_;
  WorkerStarter starter_;
  SteadyTime next_list_{};
  SteadyTime next_complaint_{};
  std::unordered_set<shared::DatabaseOid> without_extension_;  // as probes have found; they need no slot
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
  shared::conclude_probe(database, is_there ? shared::Presence::present : shared::Presence::absent);
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
