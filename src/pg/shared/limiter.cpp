// POD only.
#include "pg/shared/limiter.hpp"

#include <algorithm>

#include "core/base/mix.hpp"

#include "pg/pg.hpp"

#include "pg/shared/limiter_layout.hpp"
#include "pg/shared/name_hash.hpp"

namespace agent_queue::pg::shared {

static uint64 place_of(const WindowKey &key, uint64 name_hash) {
  const uint64 kind = uint64{key.database} << 16 | static_cast<uint64>(key.space) << 8 | static_cast<uint64>(key.kind);
  if (key.kind != WindowKind::user) return mix(kind, name_hash);
  uint64 halves[2];
  memcpy(halves, key.user.data(), sizeof(halves));
  return mix(mix(kind, halves[0]), halves[1]);
}

// A window that a charge is about, found or made.
struct Found {
  PartitionView partition;
  uint64 place = 0;
  uint64 name_hash = 0;
  uint32 block = kNoBlock;
};

static bool is_of(const WindowSlot &slot, const WindowKey &key, uint64 name_hash) {
  return slot.name_hash == name_hash && slot.database == key.database && slot.space == key.space &&
         slot.kind == key.kind && slot.user == key.user;
}

static void unlink_slot(const PartitionView &partition, uint32 block) {
  uint32 *link = chain_of(partition, partition.slot(block).place);
  while (*link != block) link = &partition.slot(*link).next;
  *link = partition.slot(block).next;
}

static bool may_go(const PartitionView &partition, uint32 block, Micros now) {
  return !partition.slot(block).is_in_use && partition.window(block).idle_at() <= now;
}

static void evict(PartitionView &partition, uint32 block) {
  unlink_slot(partition, block);
  partition.pool.release(block);
}

// When a window may be evicted, or from when on again.
static void note_idle_at(LimiterPartition &head, Micros at) {
  head.nothing_idle_before_us = std::min(head.nothing_idle_before_us, at.count());
  head.idle_in_round_us = std::min(head.idle_in_round_us, at.count());
}

static void begin_round(LimiterPartition &head) {
  head.looked_at = 0;
  head.idle_in_round_us = PG_INT64_MAX;
}

// The room that there is once the window in this block has gone; kNoBlock: it may not go, or there is none yet.
static uint32 evict_one_for(PartitionView &partition, uint32 block, int order, Micros now) {
  if (!partition.pool.is_allocated(block)) return kNoBlock;
  if (!may_go(partition, block, now)) {
    int64 &idle_at = partition.head->idle_in_round_us;
    idle_at = std::min(idle_at, partition.window(block).idle_at().count());
    return kNoBlock;
  }
  evict(partition, block);
  return partition.pool.allocate(order);
}

// Under one hold of the lock, so that other charges wait for microseconds only.
static constexpr uint32 kBlocksAtOnce = 4096;

// Evicts windows in which nothing counts any more until there is room, going on where the last look has ended. Which of
// them go is all the same: a new one in their place would accept as much. It takes a whole round, in several calls
// where the memory is large, to know that there are none.
static uint32 evict_for(PartitionView &partition, int order, Micros now) {
  LimiterPartition &head = *partition.head;
  if (now.count() < head.nothing_idle_before_us) return kNoBlock;
  uint32 found = kNoBlock;
  for (uint32 i = 0; i < kBlocksAtOnce && found == kNoBlock && head.looked_at < head.pool.block_count; ++i) {
    found = evict_one_for(partition, head.hand, order, now);
    head.hand = (head.hand + 1) % head.pool.block_count;
    ++head.looked_at;
  }
  const bool is_round_over = head.looked_at == head.pool.block_count;
  if (found == kNoBlock && is_round_over) head.nothing_idle_before_us = head.idle_in_round_us;
  if (found != kNoBlock || is_round_over) begin_round(head);
  return found;
}

// The same for the windows of one user.
static void evict_at(PartitionView &partition, uint64 place, Micros now) {
  uint32 next = kNoBlock;
  for (uint32 block = *chain_of(partition, place); block != kNoBlock; block = next) {
    next = partition.slot(block).next;
    if (partition.slot(block).place == place && may_go(partition, block, now)) evict(partition, block);
  }
}

static int order_for(const RateLimit &limit) {
  return block_order(sizeof(WindowSlot) + static_cast<std::size_t>(window_cells(limit)) * sizeof(int64));
}

static uint32 allocate(PartitionView &partition, const RateLimit &limit, Micros now) {
  const int order = order_for(limit);
  const uint32 block = partition.pool.allocate(order);
  return block != kNoBlock ? block : evict_for(partition, order, now);
}

// Not in the middle of a character.
static uint8 name_bytes_of(std::string_view name) {
  std::size_t bytes = std::min(name.size(), kWindowNameBytes);
  while (bytes < name.size() && bytes > 0 && (static_cast<uint8>(name[bytes]) & 0xC0) == 0x80) --bytes;
  return static_cast<uint8>(bytes);
}

static void link_new(Found &found, const WindowKey &key) {
  PartitionView &partition = found.partition;
  WindowSlot &slot = partition.slot(found.block);
  slot = WindowSlot{};
  slot.place = found.place;
  slot.name_hash = found.name_hash;
  slot.serial = ++partition.head->next_serial;
  slot.user = key.user;
  slot.database = key.database;
  slot.space = key.space;
  slot.kind = key.kind;
  slot.name_bytes = name_bytes_of(key.name);
  memcpy(slot.name, key.name.data(), slot.name_bytes);
  uint32 *chain = chain_of(partition, found.place);
  slot.next = *chain;
  *chain = found.block;
}

// The limit was raised beyond the memory of its window: it moves, and stays the same window.
static bool move_to_larger(Found &found, const RateLimit &limit, Micros now) {
  PartitionView &partition = found.partition;
  const uint32 old_block = found.block;
  const uint32 block = allocate(partition, limit, now);
  if (block == kNoBlock) return false;
  unlink_slot(partition, old_block);
  WindowSlot &slot = partition.slot(block);
  slot = partition.slot(old_block);
  slot.head = WindowHead{};
  partition.window(block).set_limit(limit, now);
  partition.window(block).take_over(partition.window(old_block), now);
  partition.pool.release(old_block);
  uint32 *chain = chain_of(partition, slot.place);
  slot.next = *chain;
  *chain = block;
  found.block = block;
  return true;
}

static bool fits(const Found &found, const RateLimit &limit) {
  return order_for(limit) <= found.partition.pool.order_of(found.block);
}

static uint32 find_block(const Found &found, const WindowKey &key) {
  uint32 block = *chain_of(found.partition, found.place);
  while (block != kNoBlock && !is_of(found.partition.slot(block), key, found.name_hash))
    block = found.partition.slot(block).next;
  return block;
}

// Do the windows of the key's user stay few and small enough with one for the limit, in place of the one that was
// found?
static bool is_within_share(const Found &found, const RateLimit &limit) {
  const PartitionView &partition = found.partition;
  int windows = 1;
  std::size_t bytes = kBlockBytes << order_for(limit);
  for (uint32 block = *chain_of(partition, found.place); block != kNoBlock; block = partition.slot(block).next) {
    if (partition.slot(block).place != found.place || block == found.block) continue;
    ++windows;
    bytes += kBlockBytes << partition.pool.order_of(block);
  }
  return windows <= kWindowsOfUserMax && bytes <= window_bytes_of_user_max();
}

static ChargeOutcome find_or_make(Found &found, const WindowRequest &request, Micros now) {
  found.block = find_block(found, request.key);
  if (found.block != kNoBlock) found.partition.slot(found.block).is_in_use = true;
  const bool is_to_grow = found.block == kNoBlock || !fits(found, request.limit);
  if (is_to_grow && !is_within_share(found, request.limit)) {
    evict_at(found.partition, found.place, now);
    if (!is_within_share(found, request.limit)) return ChargeOutcome::too_many_windows;
  }
  if (found.block == kNoBlock) {
    found.block = allocate(found.partition, request.limit, now);
    if (found.block == kNoBlock) return ChargeOutcome::memory_full;
    link_new(found, request.key);
  } else if (is_to_grow && !move_to_larger(found, request.limit, now)) {
    return ChargeOutcome::memory_full;
  }
  found.partition.slot(found.block).is_in_use = true;
  found.partition.window(found.block).set_limit(request.limit, now);
  return ChargeOutcome::accepted;
}

static ChargeResult find_all(Found *found, const WindowRequest *windows, int count, Micros now) {
  for (int i = 0; i < count; ++i)
    if (const ChargeOutcome outcome = find_or_make(found[i], windows[i], now); outcome != ChargeOutcome::accepted)
      return {outcome, i, {}};
  return {};
}

// Of several windows that refuse, the one that does so for longest.
static ChargeResult ask_all(Found *found, int count, int requests, Micros now) {
  ChargeResult result;
  for (int i = 0; i < count; ++i) {
    const std::optional<Micros> wait = found[i].partition.window(found[i].block).wait_for(requests, now);
    if (wait == Micros{0}) continue;
    ++found[i].partition.slot(found[i].block).refused;
    if (result.outcome == ChargeOutcome::never) continue;
    if (!wait)
      result = {ChargeOutcome::never, i, {}};
    else if (*wait > result.retry_after)
      result = {ChargeOutcome::refused, i, *wait};
  }
  return result;
}

// What is in use no longer, and when the partition may be worth a sweep again.
static void let_go(Found *found, int count, Micros now) {
  for (int i = 0; i < count; ++i) {
    if (found[i].block == kNoBlock) continue;
    const PartitionView &partition = found[i].partition;
    WindowSlot &slot = partition.slot(found[i].block);
    slot.is_in_use = false;
    slot.last_used_us = now.count();
    note_idle_at(*partition.head, partition.window(found[i].block).idle_at());
  }
}

// Each lock once, in the order of the partitions.
static uint32 lock_partitions(const Found *found, int count) {
  uint32 wanted = 0;
  for (int i = 0; i < count; ++i) wanted |= 1U << partition_of(found[i].place);
  for (int number = 0; number < kLimiterPartitions; ++number)
    if ((wanted & 1U << number) != 0) LWLockAcquire(partition_view(number).lock, LW_EXCLUSIVE);
  return wanted;
}

static void unlock_partitions(uint32 locked) {
  for (int number = 0; number < kLimiterPartitions; ++number)
    if ((locked & 1U << number) != 0) LWLockRelease(partition_view(number).lock);
}

static uint64 name_hash_of(const WindowKey &key, const RateLimit &limit) {
  const uint64 hash = hash_name(key.name);
  if (key.space != WindowSpace::given_checks) return hash;
  return mix(mix(hash, static_cast<uint64>(limit.max_requests)), static_cast<uint64>(limit.window.count()));
}

static Found locate(const WindowRequest &request) {
  const WindowKey &key = request.key;
  const uint64 name_hash = name_hash_of(key, request.limit);
  const uint64 place = place_of(key, name_hash);
  return {partition_view(partition_of(place)), place, name_hash, kNoBlock};
}

ChargeResult charge_windows(const WindowRequest *windows, int count, int requests, WindowToken *tokens) {
  if (count == 0) return {};
  Found found[kChargedTogetherMax];
  for (int i = 0; i < count; ++i) found[i] = locate(windows[i]);
  const uint32 locked = lock_partitions(found, count);
  const Micros now = limiter_now();
  ChargeResult result = find_all(found, windows, count, now);
  if (result.outcome == ChargeOutcome::accepted) result = ask_all(found, count, requests, now);
  if (result.outcome == ChargeOutcome::accepted)
    for (int i = 0; i < count; ++i)
      tokens[i] = {found[i].place, found[i].partition.slot(found[i].block).serial,
                   found[i].partition.window(found[i].block).accept(requests, now)};
  let_go(found, count, now);
  unlock_partitions(locked);
  return result;
}

void give_back(const WindowToken &token, int requests) {
  const PartitionView partition = partition_view(partition_of(token.place));
  LWLockAcquire(partition.lock, LW_EXCLUSIVE);
  uint32 block = *chain_of(partition, token.place);
  while (block != kNoBlock && partition.slot(block).serial != token.serial) block = partition.slot(block).next;
  if (block != kNoBlock) {
    SlidingWindow window = partition.window(block);
    window.give_back(requests, token.at);
    note_idle_at(*partition.head, window.idle_at());
  }
  LWLockRelease(partition.lock);
}

}  // namespace agent_queue::pg::shared
