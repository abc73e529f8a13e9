// What the tasks of upkeep share: their statements, how a transaction of theirs begins, what a failure says.
// One per worker; its transactions are short and as the extension's owner. Regime: guarded C++.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/time.hpp"
#include "pg/shared/databases.hpp"
#include "pg/store/rows_plan.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/spi.hpp"
#include "ports/log.hpp"

namespace agent_queue::pg {

struct UpkeepStatements {
  explicit UpkeepStatements(const Installation &where);

  KeptPlan newest_job;
  KeptPlan is_history_adopted;
  KeptPlan finished;
  KeptPlan remove;
  KeptPlan next_lane;
  KeptPlan look_at_lane;
  KeptPlan lock_expired_in_lane;
  KeptPlan look_at_scheduled;
  KeptPlan lock_expired_scheduled;
  RowsPlan expire;
  KeptPlan usage_blocks;
  KeptPlan remove_old_usage;
  KeptPlan fold_place;
  KeptPlan lock_folded;
  KeptPlan begin_folding;
  KeptPlan fold;
  KeptPlan move_folded;
  KeptPlan walk_cache;
  KeptPlan drop_cached;
};

class UpkeepStore {
 public:
  UpkeepStore(shared::DatabaseOid database, Log &log) : database_(database), log_(log) {}

  // First of all in a transaction. Throws PgError.
  UpkeepStatements &open(class Transaction &transaction);

  // After a failed transaction. passing: the same later may work. refused: some row of it cannot be written.
  enum class Trouble { passing, refused };
  Trouble judge(const class PgError &error);
  // For a failure that no row is to blame for: a warning, once a minute.
  void complain(const class PgError &error, Now now);
  void note_success() { blocked_ = 0; }

  shared::DatabaseOid database() const { return database_; }
  Log &log() { return log_; }

 private:
  shared::DatabaseOid database_;
  Log &log_;
  std::unique_ptr<UpkeepStatements> statements_;
  unsigned int statements_of_ = 0;  // the OID of the extension that they were rendered for
  std::string statements_in_;       // and its schema
  int blocked_ = 0;                 // lock time-outs in a row
  SteadyTime next_complaint_{};
};

// One piece of upkeep, done in passes of many slices.
class UpkeepTask {
 public:
  UpkeepTask() = default;
  virtual ~UpkeepTask() = default;
  UpkeepTask(const UpkeepTask &) = delete;
  UpkeepTask &operator=(const UpkeepTask &) = delete;

  struct Report {
    enum class Next { go_on, wait, pass_is_over } next = Next::go_on;  // wait: something is in the way for now
    bool has_changed = false;                                          // rows were written
  };
  // One slice: transactions of a few milliseconds. Throws PgError for a cancel or a shutdown only.
  virtual Report run_slice(Now now) = 0;
  // How long it took, if it was not over: the next takes on more or less.
  virtual void note_time(Micros took) = 0;
  // When the next pass may begin.
  virtual SteadyTime next_pass() const = 0;
};

}  // namespace agent_queue::pg
