#include "pg/store/queue_permits.hpp"

#include <string>

namespace agent_queue::pg {

shared::BoundedQueue QueuePermits::find(std::string_view queue) {
  if (const shared::BoundedQueue *known = find_name(queues_, queue)) return *known;
  const shared::BoundedQueue found = shared::find_bounded_queue(seat_.database, queue);
  if (found.index >= 0) queues_.emplace(queue, found);
  return found;
}

int QueuePermits::take(std::string_view queue, int bound, int wanted) {
  const shared::BoundedQueue bounded = find(queue);
  const int granted = shared::take_permits(bounded, seat_.slot, bound, wanted);
  if (granted > 0) taken_[bounded.index] += granted;
  return granted;
}

void QueuePermits::bind(std::string_view queue, JobId job) {
  bound_.push_back({find(queue), job});
}

void QueuePermits::release(JobId job) {
  if (held_.contains(job.value)) released_.push_back(job);
}

bool QueuePermits::on_commit() {
  for (const Bound &bound : bound_) {
    --taken_[bound.queue.index];
    held_.emplace(bound.job.value, bound.queue);
  }
  bool is_any_back = !released_.empty();
  for (const JobId job : released_) {
    const auto it = held_.find(job.value);
    if (it == held_.end()) continue;
    shared::give_permits(it->second, seat_.slot, 1);
    held_.erase(it);
  }
  // Taken for jobs that were not there: a queue may have looked full to others meanwhile.
  for (const auto &[index, left] : taken_) {
    shared::give_permits(shared::BoundedQueue{index}, seat_.slot, left);
    is_any_back = is_any_back || left > 0;
  }
  taken_.clear();
  bound_.clear();
  released_.clear();
  return is_any_back;
}

void QueuePermits::on_abort() {
  for (const auto &[index, count] : taken_) shared::give_permits(shared::BoundedQueue{index}, seat_.slot, count);
  taken_.clear();
  bound_.clear();
  released_.clear();
}

}  // namespace agent_queue::pg
