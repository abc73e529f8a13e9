// Usage is folded into its roll-up, each row once, and none before all rows with lower ids are there or never will be:
// a transaction that commits late must not find itself left out.
//
// A tick is the last id that was drawn so far, and the transactions that just after it was read could still commit rows
// with such ids: those that hold the lock on the sequence that drawing one takes, or a lock to write on a partition (a
// restore brings its ids along). When they have ended, prepared ones included, the rows up to the tick are folded, in
// slices: one transaction adds them up and moves folded_to, under a lock on that row. Until then, and for rows that are
// not folded, the views read api_usage itself: a transaction that writes usage and is open for hours makes them slower,
// never wrong. Other transactions hold up nothing.
// Regime: guarded C++; own transactions. Tested in test/tap/231_fold.pl.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/upkeep/pace.hpp"
#include "pg/store/upkeep_store.hpp"
#include "pg/wrap/lock_holders.hpp"

namespace agent_queue::pg {

class FoldTask final : public UpkeepTask {
 public:
  explicit FoldTask(UpkeepStore &store) : store_(store) {}

  Report run_slice(Now now) override;
  void note_time(Micros took) override { ids_.adapt(took); }
  SteadyTime next_pass() const override;

 private:
  struct Tick {
    std::int64_t last_id;
    std::vector<unsigned int> sources;  // OIDs of the sequence and the tables
    std::vector<Writer> writers;
  };

  Report work(Now now);
  std::optional<Tick> take_tick(Now now);
  bool is_due(std::int64_t waiting, Now now) const;
  // Of the tick's.
  std::size_t count_writers() const;
  Report fold(Now now);
  // How far it is folded; locked until the end of the transaction.
  static std::int64_t lock_place(UpkeepStatements &statements);

  UpkeepStore &store_;
  std::optional<Tick> tick_;  // of the running pass
  std::optional<SteadyTime> last_look_;
  std::optional<SteadyTime> last_fold_;
  SliceSize ids_{100, 1000, 50000};
};

}  // namespace agent_queue::pg
