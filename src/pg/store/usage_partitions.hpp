// Month partitions of api_usage. Upkeep makes this month's and the next one's ahead, once there is usage; the worker
// makes what is missing just before the first row of a month. Where making one is refused, rows go to the DEFAULT
// partition and are moved later: usage is never lost to a missing table.
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

  // The same for the present month and the next, once there is any usage: before that, a restore may be about to make
  // them itself. Throws PgError.
  void make_ahead(Now now);

  // Drops one partition that ends at `from` or before and is folded into the roll-up; false: there is none. Throws
  // PgError: it is in use, or something depends on it.
  bool drop_one_before(WallTime from);

  // Where the month begins that lies so many months before the present one (UTC).
  static WallTime month_before(WallTime now, int months);

  // The extension was dropped or made anew.
  void forget() { known_.clear(); }

 private:
  void make(const Installation &where, const std::string &name, WallTime from, WallTime to);

  Log &log_;
  std::set<std::string> known_;
  SteadyTime next_try_{};
};

}  // namespace agent_queue::pg
