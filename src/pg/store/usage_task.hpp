// Upkeep of api_usage: the partitions of this month and the next are made ahead; where agent_queue.keep_usage_months
// says so, those that are older are dropped, and old rows of the DEFAULT partition are deleted, in slices of blocks.
// Regime: guarded C++; own transactions. Tested in test/tap/230_upkeep.pl.
#pragma once

#include <cstdint>
#include <optional>

#include "core/upkeep/pace.hpp"
#include "pg/store/upkeep_store.hpp"
#include "pg/store/usage_partitions.hpp"

namespace agent_queue::pg {

class UsageTask final : public UpkeepTask {
 public:
  explicit UsageTask(UpkeepStore &store) : store_(store), partitions_(store.log()) {}

  Report run_slice(Now now) override;
  void note_time(Micros took) override { blocks_.adapt(took); }
  SteadyTime next_pass() const override;

 private:
  Report work(Now now);
  Report remove_old_rows(WallTime before);

  UpkeepStore &store_;
  UsagePartitions partitions_;
  std::optional<SteadyTime> last_begin_;
  std::optional<std::int64_t> next_block_;  // of the DEFAULT partition; nullopt: not there yet
  bool is_in_pass_ = false;
  std::uint64_t removed_ = 0;
  SliceSize blocks_{8, 64, 4096};
};

}  // namespace agent_queue::pg
