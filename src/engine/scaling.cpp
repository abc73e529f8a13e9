#include "engine/scaling.hpp"

#include <algorithm>

namespace agent_queue {

namespace {

constexpr int kManyWaiting = 100;
constexpr int kFewWaiting = 10;
constexpr Micros kLongWait{std::chrono::seconds(1)};
constexpr Micros kCalmTime{std::chrono::seconds(60)};

}  // namespace

int Scaling::wanted(const Backlog &backlog, bool is_busy, int workers_now, WorkerBounds bounds, SteadyTime now) {
  const int most = std::max(bounds.min, bounds.max);
  if (backlog.waiting >= kFewWaiting) {
    is_calm_ = false;
    const bool is_behind = backlog.waiting > kManyWaiting || backlog.oldest_wait > kLongWait;
    return std::clamp(workers_now + (is_behind && is_busy ? 1 : 0), bounds.min, most);
  }
  if (!is_calm_) {
    is_calm_ = true;
    calm_since_ = now;
  }
  if (now - calm_since_ < kCalmTime) return std::clamp(workers_now, bounds.min, most);
  calm_since_ = now;  // one at a time: the next goes a minute later
  return std::clamp(workers_now - 1, bounds.min, most);
}

}  // namespace agent_queue
