// POD only.
#include "pg/shared/line.hpp"

#include <algorithm>
#include <cstring>

#include "pg/pg.hpp"

#include "pg/shared/layout.hpp"

namespace agent_queue::pg::shared {

static constexpr int64 kAheadMax = INT64CONST(3'600'000'000);  // µs

static uint64 key_of(Lane lane, const UserId &user, int priority) {
  uint64 halves[2];
  memcpy(halves, user.data(), sizeof(halves));
  uint64 hash = halves[0] ^ (halves[1] * UINT64CONST(0x9E3779B97F4A7C15));
  hash =
      (hash + static_cast<uint64>(lane.index) * 16 + static_cast<uint64>(priority)) * UINT64CONST(0xBF58476D1CE4E5B9);
  return hash ^ hash >> 31;
}

std::int64_t stand_in_line(Lane lane, const UserId &user, int priority, std::int64_t now, std::int64_t step,
                           Place &place) {
  if (lane.index < 0) return now;
  const uint64 key = key_of(lane, user, priority);
  const int index = static_cast<int>(key % kPlacesMax);
  const uint32 busy_period = pg_atomic_read_u32(&state->lanes[lane.index].drained);
  PlaceSlot &slot = state->places[index];
  LWLockAcquire(state->line_lock, LW_EXCLUSIVE);
  const bool is_users = slot.key == key && slot.busy_period == busy_period;
  const int64 start = is_users ? std::clamp<int64>(slot.next, now, now + kAheadMax) : now;
  slot = {.key = key, .next = start + step, .busy_period = busy_period};
  LWLockRelease(state->line_lock);
  place = {.slot = index, .key = key, .step = step};
  return start;
}

void leave_line(const Place &place) {
  if (place.slot < 0) return;
  PlaceSlot &slot = state->places[place.slot];
  LWLockAcquire(state->line_lock, LW_EXCLUSIVE);
  if (slot.key == place.key) slot.next -= place.step;
  LWLockRelease(state->line_lock);
}

void note_drained(Lane lane) {
  if (lane.index >= 0) pg_atomic_fetch_add_u32(&state->lanes[lane.index].drained, 1);
}

}  // namespace agent_queue::pg::shared
