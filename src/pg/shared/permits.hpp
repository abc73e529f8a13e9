// Permits: how many jobs of a queue with a bound (agent_queues.concurrency) are claimed now, by all workers of the
// database together. A worker takes permits before it claims and gives them back when the jobs are settled; those of a
// worker that died are given back with its slot. Plain functions, no errors.
#pragma once

#include <string_view>

#include "pg/shared/databases.hpp"

namespace agent_queue::pg::shared {

// Queues with a bound in the whole cluster.
inline constexpr int kBoundedQueuesMax = 256;

// An index into the table of bounded queues; -1: none.
struct BoundedQueue {
  int index = -1;
};

// Finds or makes it; {-1} when the table is full.
BoundedQueue find_bounded_queue(DatabaseOid database, std::string_view name);

// As many as are free under the bound, at most `wanted`; returns how many.
int take_permits(BoundedQueue queue, int worker_slot, int bound, int wanted);
void give_permits(BoundedQueue queue, int worker_slot, int count);

}  // namespace agent_queue::pg::shared
