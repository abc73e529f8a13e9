// POD only.
#include "pg/shared/permits.hpp"

#include <algorithm>

#include "pg/pg.hpp"

#include "pg/shared/layout.hpp"
#include "pg/shared/name_hash.hpp"

namespace agent_queue::pg::shared {

static int scan(DatabaseOid database, uint64 hash) {
  for (int i = 0; i < state->bounded_queue_count; ++i)
    if (state->bounded_queues[i].name_hash == hash && state->bounded_queues[i].database == database) return i;
  return -1;
}

BoundedQueue find_bounded_queue(DatabaseOid database, std::string_view name) {
  const uint64 hash = hash_name(name);
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  int index = scan(database, hash);
  if (index < 0 && state->bounded_queue_count < kBoundedQueuesMax) {
    index = state->bounded_queue_count++;
    state->bounded_queues[index].database = database;
    state->bounded_queues[index].name_hash = hash;
  }
  LWLockRelease(state->lock);
  return BoundedQueue{index};
}

int take_permits(BoundedQueue queue, int worker_slot, int bound, int wanted) {
  if (queue.index < 0) return 0;
  BoundedQueueSlot &slot = state->bounded_queues[queue.index];
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  int64 taken = 0;
  for (const int32 of_worker : slot.taken) taken += of_worker;
  const int granted = static_cast<int>(std::clamp<int64>(bound - taken, 0, wanted));
  slot.taken[worker_slot] += granted;
  LWLockRelease(state->lock);
  return granted;
}

void give_permits(BoundedQueue queue, int worker_slot, int count) {
  if (queue.index < 0 || count <= 0) return;
  int32 &taken = state->bounded_queues[queue.index].taken[worker_slot];
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  taken = std::max(taken - count, 0);
  LWLockRelease(state->lock);
}

}  // namespace agent_queue::pg::shared
