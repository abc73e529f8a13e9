// Month partitions of api_usage, made by the worker just before the first usage row of a month. Until then, and where
// making one is refused, rows go to the DEFAULT partition and are moved later: usage is never lost to a missing table.
// Regime: guarded C++; own transactions.
#pragma once

#include <set>
#include <string>

#include "core/base/time.hpp"
#include "pg/wrap/installation.hpp"
#include "ports/log.hpp"

namespace agent_queue::pg {

class UsagePartitions {
 public:
  explicit UsagePartitions(Log &log) : log_(log) {}

  // Sees to it that the month of `at` (UTC) has its partition. Cheap when it is known. Outside a transaction.
  void ensure(WallTime at, Now now);

  // The extension was dropped or made anew.
  void forget() { known_.clear(); }

 private:
  void make(const Installation &where, const std::string &name, WallTime from, WallTime to);

  Log &log_;
  std::set<std::string> known_;
  SteadyTime next_try_{};
};

}  // namespace agent_queue::pg
