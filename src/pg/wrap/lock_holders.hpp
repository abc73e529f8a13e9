// Who may write to relations just now: the transactions that hold a lock on one with which they could. Regime: guarded
// C++. Tested in test/tap/231_fold.pl.
#pragma once

#include <cstdint>
#include <vector>

namespace agent_queue::pg {

// One transaction while it runs, and while it is prepared.
struct Writer {
  std::int32_t backend = 0;
  std::uint32_t transaction = 0;  // of that backend
  bool operator==(const Writer &) const = default;
};

// Of other sessions. What a transaction that is not among them has written is committed and visible to the next
// snapshot, or will never be.
std::vector<Writer> writers_of(const std::vector<unsigned int> &relations);

}  // namespace agent_queue::pg
