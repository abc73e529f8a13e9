// Which calls of this worker were cancelled: from shared memory, and from the table where that had no room for all.
// Regime: guarded C++. Tested in test/tap/220_verbs.pl.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/job/job.hpp"
#include "pg/store/statements.hpp"

namespace agent_queue::pg {

class CancelInbox {
 public:
  // `slot`: the worker's.
  CancelInbox(int slot, ClaimToken claim) : slot_(slot), claim_(claim) {}

  bool is_hinted() const;

  // What was told since the last take(): those of `calls`, by their place. False: there were more than could be told.
  bool take(std::span<const AttemptId> calls, std::vector<std::size_t> &places);

  // In a transaction of the worker: those of `calls` that are not its own any more, by their place.
  std::vector<std::size_t> find_lost(Statements &statements, std::span<const AttemptId> calls) const;

 private:
  int slot_;
  ClaimToken claim_;
};

}  // namespace agent_queue::pg
