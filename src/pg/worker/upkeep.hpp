// What a worker does between its rounds, if it is the first of its database: retention, expiry, partitions of usage and
// its roll-up, the room of the response cache. One slice of a few milliseconds at a time, with rests that keep it from
// the jobs' way (core/upkeep/pace). Regime: guarded C++.
#pragma once

#include <array>
#include <cstddef>

#include "core/upkeep/pace.hpp"
#include "pg/store/cache_task.hpp"
#include "pg/store/expiry_task.hpp"
#include "pg/store/fold_task.hpp"
#include "pg/store/retention_task.hpp"
#include "pg/store/upkeep_store.hpp"
#include "pg/store/usage_task.hpp"

namespace agent_queue::pg {

class Upkeep {
 public:
  Upkeep(shared::DatabaseOid database, Log &log);

  // When there is something to do again.
  SteadyTime next() const;

  // The slice that has waited longest, if one is due. True: there was one, and time has passed.
  bool run_due(Now now, Load load);

 private:
  struct Turn {
    UpkeepTask *task;
    bool is_in_pass = false;
    SteadyTime rest_until{};

    SteadyTime next() const;
  };

  UpkeepStore store_;
  ExpiryTask expiry_;
  RetentionTask retention_;
  UsageTask usage_;
  FoldTask fold_;
  CacheTask cache_;
  std::array<Turn, 5> turns_;
};

}  // namespace agent_queue::pg
