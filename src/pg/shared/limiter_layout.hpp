// How the limiter's windows lie in shared memory: plain structs and numbers of blocks, no pointers. Include after
// pg/pg.hpp; only limiter*.cpp do.
#pragma once

#include <type_traits>

#include "core/limit/block_pool.hpp"
#include "core/limit/sliding_window.hpp"
#include "pg/shared/limiter.hpp"

namespace agent_queue::pg::shared {

inline constexpr int kLimiterPartitions = 16;

// A window, at the begin of its block; the rest of the block is its cells.
struct WindowSlot {
  uint64 place;      // hash of database, space and user (else kind and name): which partition, which chain
  uint64 name_hash;  // with kind, space and user: which window
  uint64 serial;
  uint64 refused;
  int64 last_used_us;
  WindowHead head;
  UserId user;
  DatabaseOid database;
  uint32 next;  // in its chain; kNoBlock: the last
  WindowSpace space;
  WindowKind kind;
  bool is_in_use;  // by a charge under way: not to be evicted
  uint8 name_bytes;
  char name[kWindowNameBytes];
};
static_assert(std::is_standard_layout_v<WindowSlot> && std::is_trivially_copyable_v<WindowSlot>);
static_assert(sizeof(WindowSlot) % sizeof(int64) == 0);
static_assert(sizeof(WindowSlot) + 10 * sizeof(int64) <= kBlockBytes, "the most usual limit takes one block");
static_assert(sizeof(WindowSlot) + kExactRequestsMax * sizeof(int64) <= kChunkBytes, "the largest one fits");

struct LimiterPartition {
  uint64 next_serial;
  int64 nothing_idle_before_us;           // a search for idle windows that comes earlier would find none
  int64 idle_in_round_us = PG_INT64_MAX;  // the same, of the windows that the round under way has passed
  uint32 hand;                            // the block that it comes to next
  uint32 looked_at;                       // blocks in this round
  BlockPoolHead pool;
};

// A partition with what belongs to it, as this process finds it.
struct PartitionView {
  LimiterPartition *head = nullptr;
  uint32 *chains = nullptr;  // the first block of each; kNoBlock: empty
  BlockPool pool;
  LWLock *lock = nullptr;

  WindowSlot &slot(uint32 block) const { return *static_cast<WindowSlot *>(pool.at(block)); }
  SlidingWindow window(uint32 block) const {
    WindowSlot &at = slot(block);
    const std::size_t bytes = (kBlockBytes << pool.order_of(block)) - sizeof(WindowSlot);
    return SlidingWindow(at.head, reinterpret_cast<int64 *>(&at + 1), static_cast<int>(bytes / sizeof(int64)));
  }
};

PartitionView partition_view(int number);
uint32 *chain_of(const PartitionView &partition, uint64 place);
inline int partition_of(uint64 place) {
  return static_cast<int>(place % kLimiterPartitions);
}

// CLOCK_BOOTTIME, under the partition's lock.
Micros limiter_now();

}  // namespace agent_queue::pg::shared
