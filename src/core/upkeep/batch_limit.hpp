// How many rows a statement takes on while some row may be in its way (a user's trigger refuses the change): fewer and
// fewer until that row stands alone, then more again. And the rows that were found so, passed over for a minute.
// Pure. Tested in test/unit/upkeep_test.cpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"

namespace agent_queue {

class BatchLimit {
 public:
  explicit BatchLimit(int most) : most_(most), limit_(most) {}

  int value() const { return limit_; }
  void succeeded() { limit_ = std::min(most_, limit_ * 2); }
  // A statement over `tried` rows was refused.
  void refused(int tried) { limit_ = std::max(1, tried / 4); }

 private:
  int most_;
  int limit_;
};

class SetAsideJobs {
 public:
  // False: there are too many already, and this one is met again at once.
  bool add(JobId job, SteadyTime now) {
    if (jobs_.size() >= kMost) return false;
    jobs_.push_back({job, now + kTime});
    return true;
  }

  // Those whose minute is not over.
  std::vector<std::optional<std::int64_t>> ids(SteadyTime now) {
    std::erase_if(jobs_, [&](const SetAside &row) { return row.until <= now; });
    std::vector<std::optional<std::int64_t>> ids;
    for (const SetAside &row : jobs_) ids.emplace_back(row.job.value);
    return ids;
  }

 private:
  static constexpr std::size_t kMost = 1000;
  static constexpr Micros kTime{std::chrono::minutes(1)};
  struct SetAside {
    JobId job;
    SteadyTime until;
  };
  std::vector<SetAside> jobs_;
};

}  // namespace agent_queue
