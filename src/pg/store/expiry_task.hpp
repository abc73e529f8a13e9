// Expiry without a claim: a job whose expires_at passes while it waits where no claim comes by (its queue is paused,
// others are before it, it is scheduled) fails as expired, and who waits for it hears of it. A pass walks the lanes of
// agent_queue_ready one after the other, then the scheduled jobs of agent_queue_due, in slices.
// Of more jobs with one and the same key than a slice takes on, those behind are seen when the ones before are gone.
// Regime: guarded C++; own transactions. Tested in test/tap/230_upkeep.pl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/upkeep/batch_limit.hpp"
#include "core/upkeep/pace.hpp"
#include "pg/store/job_rows.hpp"
#include "pg/store/lane_directory.hpp"
#include "pg/store/notifier.hpp"
#include "pg/store/upkeep_store.hpp"

namespace agent_queue::pg {

class ExpiryTask final : public UpkeepTask {
 public:
  explicit ExpiryTask(UpkeepStore &store) : store_(store) {}

  Report run_slice(Now now) override;
  void note_time(Micros took) override { rows_.adapt(took); }
  SteadyTime next_pass() const override;

 private:
  // How far a pass has come: in which lane (empty: before the first; nullopt: in the scheduled jobs), at which key.
  struct Place {
    std::optional<LaneName> lane = LaneName{};
    std::int64_t key = 0;
    bool is_at_end = true;  // of the lane
  };
  // What a slice has seen.
  struct View {
    std::int64_t seen = 0;
    std::int64_t last_key = 0;
    std::int64_t expired = 0;
  };

  void enter_next_lane(UpkeepStatements &statements, Place &place) const;
  View look(UpkeepStatements &statements, const Place &place, Now now) const;
  std::vector<PlacedId> lock(UpkeepStatements &statements, const Place &place, const View &view, Now now);
  void expire(UpkeepStatements &statements, const std::vector<PlacedId> &jobs, Now now);
  Report go_on(Place place, const View &view, std::size_t expired, Now now);
  Report take_back(const class PgError &error, Place place, const std::vector<PlacedId> &jobs, Now now);

  UpkeepStore &store_;
  Notifier notifier_;
  std::optional<Place> pass_;
  std::optional<SteadyTime> last_begin_;
  std::uint64_t expired_ = 0;  // of the running pass
  SliceSize rows_{2000, 4000, 20000};
  BatchLimit expire_limit_{200};
  SetAsideJobs set_aside_;
};

}  // namespace agent_queue::pg
