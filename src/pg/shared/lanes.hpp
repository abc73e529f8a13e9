// Lanes: for each queue and agent type of each database, the lowest claim_key that may be waiting. A claim starts there
// instead of at the index's beginning, where under a held snapshot dead entries pile up. Commits lower it, claims take
// it. A lane that is not known (table full, two-phase commit) is found by the full sweep every few seconds. Plain
// functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "pg/shared/databases.hpp"

namespace agent_queue::pg::shared {

// An index into the table of lanes; -1: none.
struct Lane {
  int index = -1;
};

// Finds or makes the lane; {-1} when the table is full.
Lane find_lane(DatabaseOid database, std::string_view queue, std::string_view agent_type);

// Lanes are only ever added. The next one of the database at or after `from`; {-1}: there is none yet.
Lane next_lane(DatabaseOid database, int from);

// A job with this key waits (it is committed).
void offer(Lane lane, std::int64_t claim_key);

// May something be waiting?
bool is_offered(Lane lane);

// Takes the bound: the lane is empty until the next offer. nullopt: nothing is known to wait.
// Whoever takes it scans from there and offers again what is left.
std::optional<std::int64_t> take(Lane lane);

}  // namespace agent_queue::pg::shared
