// POD only.
#include "pg/shared/lanes.hpp"

#include "pg/pg.hpp"

#include "pg/shared/layout.hpp"
#include "pg/shared/name_hash.hpp"

namespace agent_queue::pg::shared {

// Keys are signed, the atomics unsigned: the bias keeps their order.
static uint64 biased(std::int64_t key) {
  return static_cast<uint64>(key) ^ (UINT64CONST(1) << 63);
}
static std::int64_t unbiased(uint64 value) {
  return static_cast<std::int64_t>(value ^ (UINT64CONST(1) << 63));
}

// Lanes are only ever added (a database's lanes stay until the server restarts), so they are found without the lock.
static int scan(DatabaseOid database, uint64 hash, int start, int count) {
  for (int i = start; i < count; ++i)
    if (state->lanes[i].name_hash == hash && state->lanes[i].database == database) return i;
  return -1;
}

// Neither name holds a NUL.
static uint64 hash_lane(std::string_view queue, std::string_view agent_type) {
  return hash_name(agent_type, hash_name({"", 1}, hash_name(queue)));
}

Lane find_lane(DatabaseOid database, std::string_view queue, std::string_view agent_type) {
  const uint64 hash = hash_lane(queue, agent_type);
  const int known = static_cast<volatile State *>(state)->lane_count;
  pg_read_barrier();
  int index = scan(database, hash, 0, known);
  if (index >= 0) return Lane{index};

  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  index = scan(database, hash, known, state->lane_count);
  if (index < 0 && state->lane_count < kLanesMax) {
    index = state->lane_count;
    state->lanes[index].database = database;
    state->lanes[index].name_hash = hash;
    pg_write_barrier();
    state->lane_count = index + 1;
  }
  LWLockRelease(state->lock);
  return Lane{index};
}

Lane next_lane(DatabaseOid database, int from) {
  const int known = static_cast<volatile State *>(state)->lane_count;
  pg_read_barrier();
  for (int i = from; i < known; ++i)
    if (state->lanes[i].database == database) return Lane{i};
  return Lane{-1};
}

void offer(Lane lane, std::int64_t claim_key) {
  if (lane.index < 0) return;
  pg_atomic_uint64 *low = &state->lanes[lane.index].low;
  const uint64 offered = biased(claim_key);
  uint64 current = pg_atomic_read_u64(low);
  while (offered < current && !pg_atomic_compare_exchange_u64(low, &current, offered)) {
  }
}

bool is_offered(Lane lane) {
  return lane.index >= 0 && pg_atomic_read_u64(&state->lanes[lane.index].low) != kLaneEmpty;
}

std::optional<std::int64_t> take(Lane lane) {
  if (lane.index < 0) return std::nullopt;
  const uint64 low = pg_atomic_exchange_u64(&state->lanes[lane.index].low, kLaneEmpty);
  if (low == kLaneEmpty) return std::nullopt;
  return unbiased(low);
}

}  // namespace agent_queue::pg::shared
