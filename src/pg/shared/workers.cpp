// POD only.
#include "pg/shared/workers.hpp"

#include <csignal>
#include <initializer_list>

#include "pg/pg.hpp"

#include "pg/shared/layout.hpp"

namespace agent_queue::pg::shared {

const char *worker_state_name(WorkerState worker_state) {
  switch (worker_state) {
    case WorkerState::starting:
      return "starting";
    case WorkerState::idle:
      return "idle";
    case WorkerState::working:
      return "working";
    case WorkerState::paused:
      return "paused";
  }
  return "unknown";
}

static WorkerView view_of(WorkerSlot &worker, int slot) {
  WorkerView view;
  view.slot = slot;
  view.database = worker.database;
  view.pid = worker.pid;
  view.state = static_cast<WorkerState>(worker.state);
  view.incarnation = worker.incarnation;
  view.in_flight = static_cast<int>(pg_atomic_read_u32(&worker.in_flight));
  view.claimed = pg_atomic_read_u64(&worker.claimed);
  view.settled = pg_atomic_read_u64(&worker.settled);
  view.rounds = pg_atomic_read_u64(&worker.rounds);
  view.wakeups = pg_atomic_read_u64(&worker.wakeups);
  view.rescued = pg_atomic_read_u64(&worker.rescued);
  view.store_failures = pg_atomic_read_u64(&worker.store_failures);
  view.started_at = worker.started_at;
  view.last_round_at = static_cast<std::int64_t>(pg_atomic_read_u64(&worker.last_round_at));
  return view;
}

int list_workers(DatabaseOid database, WorkerView *views, int capacity) {
  int count = 0;
  LWLockAcquire(state->lock, LW_SHARED);
  for (int i = 0; i < kWorkersMax && count < capacity; ++i) {
    WorkerSlot &worker = state->workers[i];
    if (worker.database == InvalidOid || (database != InvalidOid && worker.database != database)) continue;
    views[count++] = view_of(worker, i);
  }
  LWLockRelease(state->lock);
  return count;
}

int reserve_worker(DatabaseOid database) {
  int found = -1;
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  for (int i = 0; i < kWorkersMax && found < 0; ++i) {
    WorkerSlot &worker = state->workers[i];
    if (worker.database != InvalidOid) continue;
    worker.pid = 0;
    worker.starting_pid = 0;
    worker.proc_number = -1;
    worker.incarnation = 0;
    worker.state = static_cast<int>(WorkerState::starting);
    worker.started_at = GetCurrentTimestamp();
    pg_atomic_write_u32(&worker.is_idle, 0);
    pg_atomic_write_u32(&worker.in_flight, 0);
    pg_atomic_write_u32(&worker.cancel_count, 0);
    for (pg_atomic_uint64 *counter : {&worker.claimed, &worker.settled, &worker.rounds, &worker.wakeups,
                                      &worker.rescued, &worker.store_failures, &worker.last_round_at})
      pg_atomic_write_u64(counter, 0);
    worker.database = database;
    found = i;
  }
  LWLockRelease(state->lock);
  return found;
}

bool is_reserved_only(int slot) {
  LWLockAcquire(state->lock, LW_SHARED);
  const bool is_waiting = state->workers[slot].database != InvalidOid && state->workers[slot].pid == 0;
  LWLockRelease(state->lock);
  return is_waiting;
}

void release_worker(int slot) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  for (BoundedQueueSlot &queue : state->bounded_queues) queue.taken[slot] = 0;
  pg_atomic_write_u32(&state->workers[slot].is_idle, 0);
  state->workers[slot].database = InvalidOid;
  state->workers[slot].pid = 0;
  LWLockRelease(state->lock);
}

void release_if_abandoned(int slot) {
  constexpr int kStartTimeoutMs = 10'000;  // for the postmaster to fork the process
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  WorkerSlot &worker = state->workers[slot];
  const bool is_late = TimestampDifferenceExceeds(worker.started_at, GetCurrentTimestamp(), kStartTimeoutMs);
  const bool is_coming = worker.starting_pid != 0 && kill(worker.starting_pid, 0) == 0;
  if (worker.pid == 0 && is_late && !is_coming) worker.database = InvalidOid;
  LWLockRelease(state->lock);
}

DatabaseOid worker_database(int slot) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  state->workers[slot].starting_pid = MyProcPid;
  const Oid database = state->workers[slot].database;
  LWLockRelease(state->lock);
  return database;
}

ClaimToken occupy_worker(int slot) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  WorkerSlot &worker = state->workers[slot];
  worker.pid = MyProcPid;
  worker.proc_number = AQ_MY_PROC_NUMBER;
  worker.incarnation = pg_atomic_fetch_add_u64(&state->next_incarnation, 1);
  const ClaimToken token{state->boot_epoch, worker.incarnation};
  LWLockRelease(state->lock);
  return token;
}

void leave_worker(int slot) {
  const Oid database = state->workers[slot].database;
  end_promotion(database, slot);
  release_worker(slot);
  count_rescue_needed(database);
  wake_workers(database);
  call_launcher();
}

void publish_progress(int slot, const WorkerProgress &progress) {
  WorkerSlot &worker = state->workers[slot];
  pg_atomic_write_u32(&worker.in_flight, static_cast<uint32>(progress.in_flight));
  pg_atomic_write_u64(&worker.claimed, progress.claimed);
  pg_atomic_write_u64(&worker.settled, progress.settled);
  pg_atomic_write_u64(&worker.rescued, progress.rescued);
  pg_atomic_write_u64(&worker.store_failures, progress.store_failures);
  if (pg_atomic_read_u64(&worker.rounds) != progress.rounds) {
    pg_atomic_write_u64(&worker.rounds, progress.rounds);
    pg_atomic_write_u64(&worker.last_round_at, static_cast<uint64>(GetCurrentTimestamp()));
  }
}

void set_worker_state(int slot, WorkerState worker_state) {
  state->workers[slot].state = static_cast<int>(worker_state);
}

void set_idle(int slot, bool is_idle) {
  pg_atomic_exchange_u32(&state->workers[slot].is_idle, is_idle ? 1 : 0);  // a full barrier
}

int stop_workers(DatabaseOid database) {
  int count = 0;
  LWLockAcquire(state->lock, LW_SHARED);
  for (const WorkerSlot &worker : state->workers) {
    if (worker.database != database) continue;
    ++count;
    if (worker.pid != 0) kill(worker.pid, SIGTERM);
  }
  LWLockRelease(state->lock);
  return count;
}

void wake_workers(DatabaseOid database) {
  for (WorkerSlot &worker : state->workers)
    if (worker.database == database && worker.proc_number >= 0 && worker.pid != 0)
      SetLatch(&GetPGProcByNumber(worker.proc_number)->procLatch);
}

bool is_alive(ClaimToken claim) {
  if (claim.epoch != state->boot_epoch) return false;
  bool found = false;
  LWLockAcquire(state->lock, LW_SHARED);
  for (const WorkerSlot &worker : state->workers)
    if (worker.database != InvalidOid && worker.pid != 0 && worker.incarnation == claim.incarnation) found = true;
  LWLockRelease(state->lock);
  return found;
}

}  // namespace agent_queue::pg::shared
