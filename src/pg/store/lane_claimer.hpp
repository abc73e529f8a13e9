// Claims jobs lane by lane (a queue and an agent type each), from the lowest key that may wait on. Lanes of paused
// queues, and of queues whose bound is reached, are not visited: their jobs and their bounds in shared memory stay as
// they are until the queue is open again.
// One per worker. Shared memory follows the transaction: on_commit() or on_abort() ends each claim.
// Regime: guarded C++.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/job/job.hpp"
#include "pg/shared/lanes.hpp"
#include "pg/shared/workers.hpp"
#include "pg/store/budget_keeper.hpp"
#include "pg/store/claim_writer.hpp"
#include "pg/store/job_rows.hpp"
#include "pg/store/lane_directory.hpp"
#include "pg/store/queue_permits.hpp"
#include "pg/store/statements.hpp"

namespace agent_queue::pg {

struct ClaimResult {
  std::vector<ClaimedJob> claimed;
  std::vector<EndedJob> ended;           // in the same transaction: expired, refused by a budget, answered by the cache
  std::optional<WallTime> parked_until;  // the earliest run_at of those that were put back
  bool more_waiting = false;
};

class LaneClaimer {
 public:
  LaneClaimer(shared::WorkerSeat seat, ClaimToken claim, QueuePermits &permits, BudgetKeeper &budgets,
              AnswerCache &answers)
      : database_(seat.database), permits_(permits), writer_(claim, budgets, answers), directory_(seat.database) {}

  // How far to look: where something is known to wait, or in every lane that is open.
  enum class Sweep { offered, open };

  // In a transaction of the worker.
  ClaimResult claim(Statements &statements, std::shared_ptr<const Catalog> catalog, int limit, Sweep sweep, Now now);

  // After a claim that failed and was about one row alone: that row is passed over for a minute. Before on_abort().
  std::optional<JobId> set_aside_single(Now now);

  void on_commit();
  void on_abort();

 private:
  struct Visit {
    shared::Lane lane;
    std::optional<std::int64_t> before;  // the bound that was taken
    std::optional<std::int64_t> after;   // where waiting jobs may remain
  };
  // Rows with the lane that they were found in: an index into directory_.lanes().
  struct Found {
    std::size_t lane;
    JobRow row;
  };

  void name_strangers(Statements &statements);
  std::vector<std::size_t> lanes_to_visit(Sweep sweep);
  int visit(Statements &statements, std::size_t lane_number, int limit, Sweep sweep, std::vector<Found> &found);
  void mark(Statements &statements, std::vector<Found> &found, Now now, ClaimResult &result);

  shared::DatabaseOid database_;
  QueuePermits &permits_;
  ClaimWriter writer_;
  LaneDirectory directory_;
  std::shared_ptr<const Catalog> catalog_;
  std::size_t first_lane_ = 0;  // turns, so that no lane is always served first
  std::vector<Visit> visits_;
  std::vector<JobId> tried_;  // rows of the running claim

  struct SetAside {
    JobId job;
    SteadyTime until;
  };
  std::vector<SetAside> set_aside_;  // few: rows that could not be claimed
};

}  // namespace agent_queue::pg
