// Shared memory as it lies there: plain structs, fixed arrays, no pointers. Include after pg/pg.hpp; only the files of
// this room do. Process-local things (pointers, descriptors) never go in here.
#pragma once

#include <type_traits>

#include "pg/shared/cache_uses.hpp"
#include "pg/shared/cancels.hpp"
#include "pg/shared/databases.hpp"
#include "pg/shared/leaders.hpp"
#include "pg/shared/permits.hpp"
#include "pg/shared/workers.hpp"

namespace agent_queue::pg::shared {

inline constexpr int kLanesMax = 4096;
inline constexpr int kPlacesMax = 32749;  // a prime
inline constexpr int kRecoveredMax = 8192;
inline constexpr int kWaitChannels = 1024;
inline constexpr uint64 kLaneEmpty = PG_UINT64_MAX;

struct DatabaseSlot {
  Oid oid;  // InvalidOid: free
  int presence;
  int blocker_pid;                          // a backend that drops, renames or copies this database; 0: none
  int wanted_workers;                       // between min_workers and max_workers
  pg_atomic_uint64 work_generation;         // counts commits that brought jobs
  pg_atomic_uint64 rescue_generation;       // counts workers that ended
  pg_atomic_uint64 due_low;                 // earliest run_at that commits have brought
  pg_atomic_uint32 promoter;                // the slot of the worker that promotes, + 1; 0: none does
  pg_atomic_uint32 has_released_followers;  // set: those that waited when the server was started
};

struct WorkerSlot {
  Oid database;      // InvalidOid: free
  int pid;           // 0: starting
  int starting_pid;  // the process that is on its way to occupy the slot; 0: not forked yet
  int proc_number;
  int state;
  uint64 incarnation;
  TimestampTz started_at;
  pg_atomic_uint32 is_idle;
  pg_atomic_uint32 in_flight;
  pg_atomic_uint64 claimed;
  pg_atomic_uint64 settled;
  pg_atomic_uint64 rounds;
  pg_atomic_uint64 wakeups;
  pg_atomic_uint64 rescued;
  pg_atomic_uint64 store_failures;
  pg_atomic_uint64 last_round_at;
  pg_atomic_uint32 cancel_count;  // of `cancels`; kCancelsMax + 1: some found no room
  CancelledCall cancels[kCancelsMax];
};

struct LaneSlot {
  Oid database;
  uint64 name_hash;
  pg_atomic_uint64 low;      // biased claim_key; kLaneEmpty: nothing known to wait
  pg_atomic_uint32 drained;  // how often a claim has found nothing more: numbers the busy periods
};

// Of a user in a lane: where the next job would stand.
struct PlaceSlot {
  uint64 key;
  int64 next;  // TimestampTz
  uint32 busy_period;
};

struct BoundedQueueSlot {
  Oid database;
  uint64 name_hash;
  int32 taken[kWorkersMax];  // permits, by worker
};

struct State {
  uint64 boot_epoch;
  bool is_recovered;  // to a point in time: recovery.signal was there when the server started
  bool is_first_listing_done;
  int recovered_count;
  Oid recovered[kRecoveredMax];  // databases that came with the recovery and are not disowned yet
  LWLock *lock;  // of the main tranche: the same address in every process. Protects all that is not atomic
  pg_atomic_uint64 next_incarnation;
  int launcher_proc_number;           // -1: none
  pg_atomic_uint32 launcher_request;  // set: look at everything again
  pg_atomic_uint32 is_slot_refused;   // set: a database with a new extension has found the table full
  int lane_count;
  DatabaseSlot databases[kDatabasesMax];
  WorkerSlot workers[kWorkersMax];
  LaneSlot lanes[kLanesMax];
  LWLock *line_lock;  // protects places
  PlaceSlot places[kPlacesMax];
  LWLock *leaders_lock;  // protects leaders
  LeadEntry leaders[kLeadersMax];
  uint8 cache_uses[kCacheUsesMax];
  int bounded_queue_count;
  BoundedQueueSlot bounded_queues[kBoundedQueuesMax];
  ConditionVariableMinimallyPadded wait_channels[kWaitChannels];
};
static_assert(std::is_standard_layout_v<State> && std::is_trivially_destructible_v<State>);

extern State *state;

}  // namespace agent_queue::pg::shared
