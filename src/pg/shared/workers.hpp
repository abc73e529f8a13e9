// The workers of the cluster: who lives, what they do. Plain functions, no errors.
#pragma once

#include <cstdint>

#include "core/base/ids.hpp"
#include "pg/shared/databases.hpp"

namespace agent_queue::pg::shared {

// Workers in the cluster at a time.
inline constexpr int kWorkersMax = 128;

// Where a worker sits: its database and its slot.
struct WorkerSeat {
  DatabaseOid database = 0;
  int slot = -1;
};

enum class WorkerState { starting, idle, working, paused };
const char *worker_state_name(WorkerState state);

struct WorkerView {
  int slot = -1;
  DatabaseOid database = 0;
  int pid = 0;
  WorkerState state = WorkerState::starting;
  std::uint64_t incarnation = 0;
  int in_flight = 0;
  std::uint64_t claimed = 0, settled = 0, rounds = 0, wakeups = 0, rescued = 0, store_failures = 0;
  std::int64_t started_at = 0;     // TimestampTz
  std::int64_t last_round_at = 0;  // TimestampTz; 0: none yet
};

struct WorkerProgress {
  int in_flight = 0;
  std::uint64_t claimed = 0, settled = 0, rounds = 0, rescued = 0, store_failures = 0;
};

// Copies up to `capacity` workers to `views` (database 0: of all); returns how many.
int list_workers(DatabaseOid database, WorkerView *views, int capacity);

// Launcher: reserves a slot for a worker to be started. -1: none is free.
int reserve_worker(DatabaseOid database);
// Launcher: was the slot reserved and never occupied?
bool is_reserved_only(int slot);
// Launcher: gives back a slot whose worker never started or is gone.
void release_worker(int slot);
// Launcher: gives back a slot that was reserved long ago and that no living process is on its way to.
void release_if_abandoned(int slot);

// Worker, first of all: the database that its slot was reserved for. From here on the slot knows the process that is on
// its way.
DatabaseOid worker_database(int slot);
// Worker: takes its slot; returns its claim token. It must have been reserved.
ClaimToken occupy_worker(int slot);
// Worker, at exit: frees the slot and says that its claims are orphaned.
void leave_worker(int slot);

void publish_progress(int slot, const WorkerProgress &progress);
void set_worker_state(int slot, WorkerState state);
// Before waiting: idle workers are woken by commits. Set it, then look for work once more, then wait.
void set_idle(int slot, bool is_idle);

// SIGTERM to the workers of the database; returns how many there are.
int stop_workers(DatabaseOid database);
// Sets the latches of all workers of the database.
void wake_workers(DatabaseOid database);

// Is this the claim of a worker that lives now?
bool is_alive(ClaimToken claim);

}  // namespace agent_queue::pg::shared
