// Claims jobs lane by lane, an agent type each, from the lowest key that may wait on. Jobs of paused queues are left
// lying: a change of the configuration makes a sweep that finds them again.
// One per worker. The lanes' bounds in shared memory follow the transaction: on_commit() or on_abort() ends each claim.
// Regime: guarded C++.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/job/job.hpp"
#include "pg/shared/lanes.hpp"
#include "pg/store/job_rows.hpp"
#include "pg/store/statements.hpp"

namespace agent_queue::pg {

struct ClaimResult {
  std::vector<ClaimedJob> claimed;
  std::vector<JobId> expired;  // settled as failed/expired in the same transaction
  bool more_waiting = false;
};

class LaneClaimer {
 public:
  LaneClaimer(shared::DatabaseOid database, ClaimToken claim) : database_(database), claim_(claim) {}

  // How far to look: where something is known to wait; beside that in all lanes whose queue is open; in all lanes.
  enum class Sweep { offered, open, everything };

  // In a transaction of the worker.
  ClaimResult claim(Statements &statements, std::shared_ptr<const Catalog> catalog, int limit, Sweep sweep, Now now);

  // After a claim that failed and was about one row alone: that row is passed over for a minute. Before on_abort().
  std::optional<JobId> set_aside_single(Now now);

  void on_commit();
  void on_abort();

 private:
  struct LaneState {
    std::string agent_type;
    shared::Lane lane;
    bool is_open = true;      // the queue of the agent type is not paused
    bool is_waiting = false;  // has jobs, as the last sweep saw it
  };
  struct Visit {
    shared::Lane lane;
    std::optional<std::int64_t> before;  // the bound that was taken
    std::optional<std::int64_t> after;   // where waiting jobs may remain
  };

  void refresh_lanes(const std::shared_ptr<const Catalog> &catalog);
  void find_waiting_types(Statements &statements);
  int visit(Statements &statements, const LaneState &lane, int limit, Sweep sweep, std::vector<JobRow> &rows);
  void mark(Statements &statements, std::vector<JobRow> &rows, Now now, ClaimResult &result);

  shared::DatabaseOid database_;
  ClaimToken claim_;
  std::shared_ptr<const Catalog> catalog_;
  std::vector<LaneState> lanes_;
  std::vector<std::optional<std::string_view>> paused_queues_;  // names in catalog_
  std::size_t first_lane_ = 0;                                  // turns, so that no lane is always served first
  std::vector<Visit> visits_;
  std::vector<JobId> tried_;  // rows of the running claim

  struct SetAside {
    JobId job;
    SteadyTime until;
  };
  std::vector<SetAside> set_aside_;  // few: rows that could not be claimed
};

}  // namespace agent_queue::pg
