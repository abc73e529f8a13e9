#include "pg/worker/worker_starter.hpp"

#include <algorithm>
#include <cstdio>

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr Micros kYoung{std::chrono::seconds(5)};
constexpr Micros kFirstWait{std::chrono::milliseconds(200)};
constexpr Micros kLastWait{std::chrono::seconds(60)};
constexpr Micros kComplaintInterval{std::chrono::seconds(60)};

bool has_ended(BackgroundWorkerHandle *handle) {
  return guard([&] {
    pid_t pid = 0;
    return GetBackgroundWorkerPid(handle, &pid) == BGWH_STOPPED;
  });
}

// Workers that end because the extension was dropped or the database is needed have not failed.
bool was_sent_away(shared::DatabaseOid database) {
  const shared::DatabaseView view = shared::find_database(database);
  return view.blocker_pid != 0 || view.presence != shared::Presence::present;
}

}  // namespace

BackgroundWorkerHandle *WorkerStarter::start(const char *function, const char *kind, std::uintptr_t argument, Now now) {
  BackgroundWorker worker = {};
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = BGW_NEVER_RESTART;
  worker.bgw_main_arg = argument;
  worker.bgw_notify_pid = MyProcPid;
  std::snprintf(worker.bgw_library_name, sizeof(worker.bgw_library_name), "agent_queue");
  std::snprintf(worker.bgw_function_name, sizeof(worker.bgw_function_name), "%s", function);
  std::snprintf(worker.bgw_name, sizeof(worker.bgw_name), "agent_queue %s", kind);
  std::snprintf(worker.bgw_type, sizeof(worker.bgw_type), "agent_queue %s", kind);

  BackgroundWorker *description = &worker;
  BackgroundWorkerHandle *handle = guard([&] {
    BackgroundWorkerHandle *made = nullptr;
    MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
    if (!RegisterDynamicBackgroundWorker(description, &made)) made = nullptr;
    MemoryContextSwitchTo(before);
    return made;
  });
  if (handle == nullptr && now.steady >= next_complaint_) {
    next_complaint_ = now.steady + kComplaintInterval;
    log_.write(LogLevel::warning,
               std::string("no background worker slot is free for a ") + kind + "; raise max_worker_processes");
  }
  return handle;
}

void WorkerStarter::reap(Now now) {
  for (auto it = started_.begin(); it != started_.end();) {
    Started &started = it->second;
    if (!has_ended(started.handle)) {
      ++it;
      continue;
    }
    Patience &patience = patience_[started.database];
    if (now.steady - started.at < kYoung && !was_sent_away(started.database)) {
      patience.wait = std::clamp(patience.wait * 2, kFirstWait, kLastWait);
      patience.next_start = now.steady + patience.wait;
    } else {
      patience = {};
    }
    // A worker that got as far as its slot has freed it itself, and the slot may be another's by now.
    if (shared::is_reserved_only(it->first)) shared::release_worker(it->first);
    BackgroundWorkerHandle *handle = started.handle;
    guard([&] { pfree(handle); });
    it = started_.erase(it);
  }
}

void WorkerStarter::fill(shared::DatabaseOid database, int wanted, Now now) {
  if (now.steady < patience_[database].next_start) return;
  shared::WorkerView workers[64];
  for (int count = shared::list_workers(database, workers, 64); count < wanted; ++count) {
    const int slot = shared::reserve_worker(database);
    if (slot < 0) return;
    BackgroundWorkerHandle *handle = start("aq_worker_main", "worker", Int32GetDatum(slot), now);
    if (handle == nullptr) return shared::release_worker(slot);
    started_[slot] = {handle, database, now.steady};
  }
}

bool WorkerStarter::probe(shared::DatabaseOid database, Now now) {
  shared::set_presence(database, shared::Presence::probing);
  BackgroundWorkerHandle *handle = start("aq_probe_main", "probe", ObjectIdGetDatum(database), now);
  if (handle == nullptr) {
    shared::set_presence(database, shared::Presence::unknown);
    return false;
  }
  guard([&] {
    WaitForBackgroundWorkerShutdown(handle);
    pfree(handle);
  });
  return true;
}

}  // namespace agent_queue::pg
