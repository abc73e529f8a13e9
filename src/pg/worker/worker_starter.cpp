#include "pg/worker/worker_starter.hpp"

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <iterator>

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

void free_handle(BackgroundWorkerHandle *handle) {
  guard([&] { pfree(handle); });
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

void WorkerStarter::Patience::lengthen(Now now) {
  wait = std::clamp(wait * 2, kFirstWait, kLastWait);
  next_try = now.steady + wait;
}

void WorkerStarter::reap(Now now) {
  for (auto it = started_.begin(); it != started_.end();)
    it = reap_worker(it->first, it->second, now) ? started_.erase(it) : std::next(it);
  reap_probe(now);
  release_abandoned();
}

// True: it has ended, and is counted. Workers that end because the extension was dropped or the database is needed have
// not failed. Whether the extension was dropped, a probe finds out first.
bool WorkerStarter::reap_worker(int slot, Started &started, Now now) {
  const shared::DatabaseView view = shared::find_database(started.database);
  const bool is_forgotten = view.oid == 0;
  started.is_sent_away = started.is_sent_away || is_forgotten || view.blocker_pid != 0;
  if (!has_ended(started.handle)) return false;
  const bool is_unclear = view.presence == shared::Presence::unknown || view.presence == shared::Presence::probing;
  if (is_unclear && !started.is_sent_away) return false;

  const bool was_sent_away = started.is_sent_away || view.presence == shared::Presence::absent;
  if (now.steady - started.at < kYoung && !was_sent_away)
    patience_[started.database].lengthen(now);
  else
    patience_.erase(started.database);
  // One that got as far as its slot has freed it itself, and nobody else is given it before it is reaped.
  if (shared::is_reserved_only(slot)) shared::release_worker(slot);
  free_handle(started.handle);
  return true;
}

void WorkerStarter::reap_probe(Now now) {
  if (!probe_ || !has_ended(probe_->handle)) return;
  const shared::DatabaseOid database = probe_->database;
  if (shared::find_database(database).presence == shared::Presence::probing) {
    shared::conclude_probe(database, shared::Presence::unreachable);
    probe_patience_[database].lengthen(now);
  } else {
    probe_patience_.erase(database);
  }
  free_handle(probe_->handle);
  probe_.reset();
}

// What a launcher before this one reserved for workers that it did not come to start.
void WorkerStarter::release_abandoned() {
  shared::WorkerView workers[shared::kWorkersMax];
  const int count = shared::list_workers(0, workers, shared::kWorkersMax);
  for (int i = 0; i < count; ++i)
    if (workers[i].pid == 0 && started_.count(workers[i].slot) == 0) shared::release_if_abandoned(workers[i].slot);
}

// A worker that has left its slot wakes us before the postmaster knows of its end.
bool WorkerStarter::has_unreaped(shared::DatabaseOid database, const shared::WorkerView *living, int count) const {
  return std::any_of(started_.begin(), started_.end(), [&](const auto &entry) {
    const auto is_of_slot = [&](const shared::WorkerView &worker) { return worker.slot == entry.first; };
    return entry.second.database == database && std::none_of(living, living + count, is_of_slot);
  });
}

void WorkerStarter::fill(shared::DatabaseOid database, int wanted, Now now) {
  const auto patience = patience_.find(database);
  if (patience != patience_.end() && now.steady < patience->second.next_try) return;
  shared::WorkerView workers[shared::kWorkersMax];
  int count = shared::list_workers(database, workers, shared::kWorkersMax);
  if (has_unreaped(database, workers, count)) return;
  for (; count < wanted; ++count) {
    const int slot = shared::reserve_worker(database);
    if (slot < 0) return;
    if (started_.count(slot) != 0) return shared::release_worker(slot);  // of a worker that is still to be reaped
    BackgroundWorkerHandle *handle = start("aq_worker_main", "worker", Int32GetDatum(slot), now);
    if (handle == nullptr) return shared::release_worker(slot);
    started_[slot] = {handle, database, now.steady};
  }
}

void WorkerStarter::probe(shared::DatabaseOid database, Now now) {
  if (probe_ || is_probe_put_off(database, now)) return;
  shared::set_presence(database, shared::Presence::probing);
  BackgroundWorkerHandle *handle = start("aq_probe_main", "probe", ObjectIdGetDatum(database), now);
  if (handle == nullptr) {
    shared::set_presence(database, shared::Presence::unknown);
    return;
  }
  probe_ = Started{handle, database, now.steady};
}

bool WorkerStarter::is_probe_put_off(shared::DatabaseOid database, Now now) const {
  const auto patience = probe_patience_.find(database);
  return patience != probe_patience_.end() && now.steady < patience->second.next_try;
}

SteadyTime WorkerStarter::next_try(Now now, SteadyTime latest) const {
  for (const Patiences *patiences : {&patience_, &probe_patience_})
    for (const auto &[database, patience] : *patiences)
      if (patience.next_try > now.steady) latest = std::min(latest, patience.next_try);
  return latest;
}

void WorkerStarter::forget(shared::DatabaseOid database) {
  patience_.erase(database);
  probe_patience_.erase(database);
}

}  // namespace agent_queue::pg
