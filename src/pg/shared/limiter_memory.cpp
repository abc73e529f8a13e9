// The limiter's memory: how it is asked for, divided and walked. POD only.
#include <algorithm>
#include <ctime>

#include "pg/shared/limiter.hpp"

#include "pg/pg.hpp"

#include "pg/shared/limiter_layout.hpp"

namespace agent_queue::pg::shared {

static const char *const kTranche = "agent_queue_rate_limits";

// One chain for two blocks: a window is one block and more, so chains are short.
static constexpr uint32 kChainsPerChunk = kBlocksPerChunk / 2;
static constexpr Size kChunkCost = kChunkBytes + kBlocksPerChunk + kChainsPerChunk * sizeof(uint32);

static constexpr std::size_t kBytesOfUserMin = 64 * 1024;

static Size partition_bytes = 0;
static uint32 chunk_count = 0;
static char *memory = nullptr;
static LWLockPadded *locks = nullptr;

// In a partition: the blocks, the chains, the head, a byte of state for each block.
PartitionView partition_view(int number) {
  char *blocks = memory + static_cast<Size>(number) * partition_bytes;
  char *chains = blocks + chunk_count * kChunkBytes;
  char *head = chains + chunk_count * kChainsPerChunk * sizeof(uint32);
  auto *partition = reinterpret_cast<LimiterPartition *>(head);
  auto *states = reinterpret_cast<uint8 *>(head + MAXALIGN(sizeof(LimiterPartition)));
  return {partition, reinterpret_cast<uint32 *>(chains),
          BlockPool(partition->pool, states, reinterpret_cast<std::byte *>(blocks)), &locks[number].lock};
}

uint32 *chain_of(const PartitionView &partition, uint64 place) {
  return &partition.chains[place / kLimiterPartitions % (chunk_count * kChainsPerChunk)];
}

// One window of any limit always fits: a partition of the smallest memory has three chunks.
std::size_t window_bytes_of_user_max() {
  const std::size_t bytes = chunk_count * kChunkBytes;
  return std::min(std::max<std::size_t>(bytes / 8, kBytesOfUserMin), bytes / 2);
}

Micros limiter_now() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return Micros{int64{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000};
}

void request_limiter(int megabytes) {
  partition_bytes = static_cast<Size>(megabytes) * 1024 * 1024 / kLimiterPartitions;
  chunk_count = static_cast<uint32>((partition_bytes - MAXALIGN(sizeof(LimiterPartition))) / kChunkCost);
  RequestAddinShmemSpace(partition_bytes * kLimiterPartitions);
  RequestNamedLWLockTranche(kTranche, kLimiterPartitions);
}

void start_limiter() {
  bool found = false;
  memory =
      static_cast<char *>(ShmemInitStruct("agent_queue rate limits", partition_bytes * kLimiterPartitions, &found));
  locks = GetNamedLWLockTranche(kTranche);
  for (int number = 0; !found && number < kLimiterPartitions; ++number) {
    PartitionView partition = partition_view(number);
    *partition.head = LimiterPartition{};
    partition.pool.clear(chunk_count);
    for (uint32 i = 0; i < chunk_count * kChainsPerChunk; ++i) partition.chains[i] = kNoBlock;
  }
}

static WindowView view_of(const PartitionView &partition, uint32 block, Micros now) {
  const WindowSlot &slot = partition.slot(block);
  const SlidingWindow window = partition.window(block);
  WindowView view = {};
  view.space = slot.space;
  view.kind = slot.kind;
  view.user = slot.user;
  memcpy(view.name, slot.name, slot.name_bytes);
  view.used = window.used(now);
  view.limit = {slot.head.max_requests, Micros{slot.head.length_us}};
  view.refused = slot.refused;
  view.free_in = window.wait_for(1, now);
  view.last_used_ago = now - Micros{slot.last_used_us};
  return view;
}

static bool is_live(const WindowView &view) {
  return view.used > 0 || (view.refused > 0 && view.last_used_ago < view.limit.window);
}

// Under one hold of the lock, so that charges wait for microseconds only.
static constexpr uint32 kBlocksAtOnce = 1024;

int list_windows(WindowWalk &walk, DatabaseOid database, const UserId *user, WindowView *views, int capacity) {
  int count = 0;
  while (walk.partition < kLimiterPartitions && count < capacity) {
    const PartitionView partition = partition_view(walk.partition);
    LWLockAcquire(partition.lock, LW_SHARED);
    const Micros now = limiter_now();
    const uint32 end = walk.block + kBlocksAtOnce;
    uint32 block = partition.pool.next_allocated(walk.block);
    for (; block < end && count < capacity; block = partition.pool.next_allocated(block + 1)) {
      const WindowSlot &slot = partition.slot(block);
      if (slot.database != database) continue;
      if (user != nullptr && (slot.kind != WindowKind::user || slot.user != *user)) continue;
      views[count] = view_of(partition, block, now);
      if (is_live(views[count])) ++count;
    }
    LWLockRelease(partition.lock);
    walk = block == kNoBlock ? WindowWalk{walk.partition + 1, 0} : WindowWalk{walk.partition, block};
  }
  return count;
}

}  // namespace agent_queue::pg::shared
