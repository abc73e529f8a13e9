// How many workers a database wants. Pure. Tested in test/unit/scaling_test.cpp.
#pragma once

#include "core/base/time.hpp"
#include "ports/backlog.hpp"

namespace agent_queue {

struct WorkerBounds {
  int min = 1;
  int max = 1;
};

// One more while more than 100 jobs wait, or the oldest waits over a second, and this worker is busy; one less after a
// minute with fewer than ten.
class Scaling {
 public:
  // Called about once a second by each worker of the database with what it sees; returns the number that it wants.
  int wanted(const Backlog &backlog, bool is_busy, int workers_now, WorkerBounds bounds, SteadyTime now);

 private:
  bool is_calm_ = false;
  SteadyTime calm_since_{};
};

}  // namespace agent_queue
