// What waits in a database, as far as the number of workers is concerned.
#pragma once

#include "core/base/time.hpp"

namespace agent_queue {

inline constexpr int kBacklogCountMax = 101;

struct Backlog {
  int waiting = 0;        // pending jobs; counted up to kBacklogCountMax
  Micros oldest_wait{0};  // how long the oldest of them has been waiting
};
}  // namespace agent_queue
