// POD only: runs in the postmaster and in hooks.
#include "pg/shared/memory.hpp"

#include <unistd.h>

#include <initializer_list>

#include "pg/shared/limiter.hpp"

#include "pg/pg.hpp"

#include "pg/shared/layout.hpp"
#include "pg/shared/ledger_layout.hpp"

namespace agent_queue::pg::shared {

State *state = nullptr;

static shmem_request_hook_type previous_request = nullptr;
static shmem_startup_hook_type previous_startup = nullptr;

static MemorySizes sizes;

static const char *const kTranche = "agent_queue";
enum : int { kStateLock, kLedgerLock, kLineLock, kLeadersLock, kLockCount };

static void request() {
  if (previous_request != nullptr) previous_request();
  RequestAddinShmemSpace(sizeof(State));
  RequestNamedLWLockTranche(kTranche, kLockCount);
  request_ledger(sizes.tracked_users);
  request_limiter(sizes.rate_limit_megabytes);
}

static void init(State *fresh) {
  MemSet(fresh, 0, sizeof(State));
  if (!pg_strong_random(&fresh->boot_epoch, sizeof(fresh->boot_epoch)))
    ereport(FATAL, (errmsg("agent_queue: could not draw a random boot epoch")));
  fresh->is_recovered = access(RECOVERY_SIGNAL_FILE, F_OK) == 0;  // it is gone when the recovery has ended
  fresh->lock = &(GetNamedLWLockTranche(kTranche))[kStateLock].lock;
  fresh->line_lock = &(GetNamedLWLockTranche(kTranche))[kLineLock].lock;
  fresh->leaders_lock = &(GetNamedLWLockTranche(kTranche))[kLeadersLock].lock;
  fresh->launcher_proc_number = -1;
  pg_atomic_init_u64(&fresh->next_incarnation, 1);
  pg_atomic_init_u32(&fresh->launcher_request, 0);
  pg_atomic_init_u32(&fresh->is_slot_refused, 0);
  for (DatabaseSlot &slot : fresh->databases) {
    pg_atomic_init_u64(&slot.work_generation, 1);
    pg_atomic_init_u64(&slot.rescue_generation, 1);
    pg_atomic_init_u64(&slot.due_low, static_cast<uint64>(PG_INT64_MAX));
    pg_atomic_init_u32(&slot.promoter, 0);
    pg_atomic_init_u32(&slot.has_released_followers, 0);
  }
  for (WorkerSlot &slot : fresh->workers) {
    pg_atomic_init_u32(&slot.is_idle, 0);
    pg_atomic_init_u32(&slot.in_flight, 0);
    pg_atomic_init_u32(&slot.cancel_count, 0);
    for (pg_atomic_uint64 *counter : {&slot.claimed, &slot.settled, &slot.rounds, &slot.wakeups, &slot.rescued,
                                      &slot.store_failures, &slot.last_round_at})
      pg_atomic_init_u64(counter, 0);
  }
  for (LaneSlot &slot : fresh->lanes) {
    pg_atomic_init_u64(&slot.low, kLaneEmpty);
    pg_atomic_init_u32(&slot.drained, 0);
  }
  for (ConditionVariableMinimallyPadded &channel : fresh->wait_channels) ConditionVariableInit(&channel.cv);
}

static void startup() {
  if (previous_startup != nullptr) previous_startup();
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  bool found = false;
  state = static_cast<State *>(ShmemInitStruct("agent_queue", sizeof(State), &found));
  if (!found) init(state);
  start_ledger(&(GetNamedLWLockTranche(kTranche))[kLedgerLock].lock);
  start_limiter();
  LWLockRelease(AddinShmemInitLock);
}

void install_hooks(const MemorySizes &wanted) {
  sizes = wanted;
  previous_request = shmem_request_hook;
  shmem_request_hook = request;
  previous_startup = shmem_startup_hook;
  shmem_startup_hook = startup;
}

std::uint64_t boot_epoch() {
  return state->boot_epoch;
}

}  // namespace agent_queue::pg::shared
