// Upkeep of the response cache: entries that have ended are deleted, and where there are more than
// agent_queue.cache_max_entries or cache_max_size allow, those that nobody has asked for (core/cache/clock_hand).
// Walks the primary key, in slices. Regime: guarded C++; own transactions. Tested in test/tap/410_cache_room.pl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/cache/clock_hand.hpp"
#include "core/upkeep/pace.hpp"
#include "pg/store/upkeep_store.hpp"

namespace agent_queue::pg {

class CacheTask final : public UpkeepTask {
 public:
  explicit CacheTask(UpkeepStore &store) : store_(store) {}

  Report run_slice(Now now) override;
  void note_time(Micros took) override { rows_.adapt(took); }
  SteadyTime next_pass() const override;

 private:
  Report work(Now now);

  UpkeepStore &store_;
  ClockHand hand_;
  std::string last_key_;  // of the running pass
  bool is_in_pass_ = false;
  bool has_to_go_on_ = false;  // the last pass has left too many
  std::uint64_t dropped_ = 0;
  std::optional<SteadyTime> last_begin_;
  SliceSize rows_{20, 200, 5000};
};

}  // namespace agent_queue::pg
