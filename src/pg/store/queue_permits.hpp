// What this worker holds of the bounds of queues (agent_queues.concurrency): permits are taken before a claim, belong
// to the claimed jobs from its commit on, and go back when those are settled. One per worker. Regime: plain C++ over
// shared memory; nothing here raises a Postgres error.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/name_map.hpp"
#include "pg/shared/permits.hpp"
#include "pg/shared/workers.hpp"

namespace agent_queue::pg {

class QueuePermits {
 public:
  explicit QueuePermits(shared::WorkerSeat seat) : seat_(seat) {}

  // False: the cluster has more bounded queues than shared memory has room for; nothing is claimed from this one.
  bool has_room_for(std::string_view queue) { return find(queue).index >= 0; }

  // For the running transaction: up to `wanted` jobs of the queue may be claimed under its bound. Returns how many.
  int take(std::string_view queue, int bound, int wanted);
  // A job that was claimed by the running transaction under a permit of the queue.
  void bind(std::string_view queue, JobId job);
  // A job that the running transaction settles, with or without a permit.
  void release(JobId job);

  // Ends the transaction. True: permits went back, so that somebody may claim now.
  bool on_commit();
  void on_abort();

 private:
  struct Bound {
    shared::BoundedQueue queue;
    JobId job;
  };
  shared::BoundedQueue find(std::string_view queue);

  shared::WorkerSeat seat_;
  NameMap<shared::BoundedQueue> queues_;
  // By job; two while the call of an attempt that was cancelled is still to end and the job is claimed again.
  std::unordered_multimap<std::int64_t, shared::BoundedQueue> held_;
  // Of the running transaction:
  std::unordered_map<int, int> taken_;  // permits by BoundedQueue::index
  std::vector<Bound> bound_;
  std::vector<JobId> released_;
};

}  // namespace agent_queue::pg
