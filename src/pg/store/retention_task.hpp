// Retention: finished jobs that agent_queues does not keep are deleted. One pass is a sweep over the table along its
// primary key, from the newest job down, in slices; a pass begins when the interval has gone by and at once when the
// rules have changed. What was restored or replicated (claim_key is NULL) is history of somewhere else and stays until
// adopt_jobs() has been called. Regime: guarded C++; own transactions. Tested in test/tap/230_upkeep.pl.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/upkeep/batch_limit.hpp"
#include "core/upkeep/pace.hpp"
#include "core/upkeep/retention.hpp"
#include "pg/store/finished_rows.hpp"
#include "pg/store/upkeep_store.hpp"

namespace agent_queue::pg {

class RetentionTask final : public UpkeepTask {
 public:
  explicit RetentionTask(UpkeepStore &store);

  Report run_slice(Now now) override;
  void note_time(Micros took) override;
  SteadyTime next_pass() const override;

 private:
  // A sweep that is under way.
  struct Pass {
    Pass(RetentionSweep rules, SteadyTime now) : sweep(std::move(rules)), began(now) {}

    RetentionSweep sweep;
    SteadyTime began;
    bool with_history = false;
    std::int64_t top = 0;  // the highest id that is not judged yet
    std::uint64_t removed = 0;
    std::uint64_t refused = 0;
    std::string first_refusal;
  };
  // What a slice has decided to do.
  struct Plan {
    std::vector<RowPlace> doomed;
    std::int64_t last_doomed = 0;
    std::optional<std::int64_t> next_top;  // empty: this slice reaches the end
    bool is_full = false;                  // it ended at a bound on rows, not on ids
  };

  bool take_in_rules();
  void begin(UpkeepStatements &statements, Now now);
  Plan decide(UpkeepStatements &statements, Now now);
  // The slice was carried out: the pass goes on behind it, or is over.
  Report go_on(const Plan &plan, std::uint64_t removed, Now now);
  Report take_back(const class PgError &error, std::optional<Pass> before, const Plan &plan, Now now);
  void report_pass(Now now) const;

  UpkeepStore &store_;
  std::shared_ptr<const Catalog> catalog_;
  NameMap<RetentionRule> rules_;
  unsigned long generation_ = 0;  // of the configuration that rules_ have regard to
  std::optional<SteadyTime> last_begin_;
  std::optional<Pass> pass_;
  SliceSize ids_;
  bool was_full_ = false;
  BatchLimit remove_limit_{1000};
};

}  // namespace agent_queue::pg
