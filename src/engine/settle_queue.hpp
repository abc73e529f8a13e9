// Settlements on their way to the store. What was paid for is never dropped: rows that others have locked come back
// later, and when a round cannot be stored it is tried without a claim and then halved until the one bad row stands
// alone; that one is settled as store_error, with its usage. Tested in test/unit/settle_queue_test.cpp.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/job/job.hpp"
#include "ports/job_store.hpp"

namespace agent_queue {

class SettleQueue {
 public:
  void push(Settlement settlement, SteadyTime now);

  bool empty() const { return fresh_.empty() && suspects_.empty() && kept_.empty() && batch_.empty(); }
  std::size_t fresh_count() const { return fresh_.size(); }
  // When the oldest fresh settlement came. Only where there is one.
  SteadyTime oldest() const { return oldest_; }
  // The next time at which something other than fresh work is due; nullopt: nothing waits.
  std::optional<SteadyTime> next_retry() const;
  // A halved round, or one that was put back, is waiting to be tried.
  bool has_urgent() const { return !suspects_.empty() || !batch_.empty(); }
  // The batch that next_batch() gave last is part of a round that could not be stored.
  bool is_batch_suspect() const { return is_batch_suspect_; }

  // The next batch to give to the store, at most `limit`; empty: nothing is due. Suspects come first and alone.
  // The span stays valid until accept(), split() or isolate().
  // Without one of them the same batch comes again.
  std::span<const Settlement> next_batch(SteadyTime now, std::size_t limit);

  // The store took the batch; fates as it reported them. Those it kept come back after a while.
  void accept(std::span<const SettleFate> fates, SteadyTime now);
  // The round with the batch cannot be stored: the batch comes once more alone, then in halves, and a single one as
  // store_error with `why`. Only for a batch that is not empty.
  void split(const std::string &why, SteadyTime now);

  // The batch is blocked again and again: halves come next, so that the one row that is in the way stands alone in the
  // end; that one comes back later and holds up nobody. Only for a batch that is not empty.
  void isolate(SteadyTime now);

 private:
  void halve();
  struct Kept {
    Settlement settlement;
    SteadyTime due;
  };
  std::vector<Settlement> fresh_;
  std::deque<std::vector<Settlement>> suspects_;
  std::deque<Kept> kept_;
  std::vector<Settlement> batch_;
  bool is_batch_suspect_ = false;
  SteadyTime oldest_{};
};

}  // namespace agent_queue
