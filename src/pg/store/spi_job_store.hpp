// The job store of the background worker: ports/job_store over SPI. One per worker process.
// Each call is one short transaction as the extension's owner; none is open between calls. Regime: guarded C++.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/upkeep/batch_limit.hpp"
#include "pg/shared/databases.hpp"
#include "pg/shared/workers.hpp"
#include "pg/store/alert_writer.hpp"
#include "pg/store/budget_keeper.hpp"
#include "pg/store/cancel_inbox.hpp"
#include "pg/store/lane_claimer.hpp"
#include "pg/store/notifier.hpp"
#include "pg/store/promoter.hpp"
#include "pg/store/queue_permits.hpp"
#include "pg/store/settler.hpp"
#include "pg/store/statements.hpp"
#include "pg/store/token_statistics.hpp"
#include "pg/store/usage_partitions.hpp"
#include "ports/backlog.hpp"
#include "ports/job_store.hpp"
#include "ports/log.hpp"

namespace agent_queue::pg {

class SpiJobStore final : public JobStore {
 public:
  SpiJobStore(shared::WorkerSeat seat, ClaimToken claim, Log &log);

  RoundResult round(const Round &round, Now now) override;
  std::optional<std::vector<ClaimedJob>> rescue(Now now) override;
  std::optional<int> promote_due(Now now) override;
  std::optional<WallTime> next_due() const override;
  bool work_hinted() override;
  bool rescue_hinted() override;
  bool cancel_hinted() override { return cancels_.is_hinted(); }
  std::vector<std::size_t> take_cancelled(std::span<const AttemptId> calls, Now now) override;
  std::shared_ptr<const Catalog> catalog() override { return catalog_; }

  // What waits; nullopt: could not be looked at now.
  std::optional<Backlog> backlog(Now now);

  // Writes the alerts of budgets that are due, in a transaction of their own; what could not be written stays due.
  void write_alerts(Now now);
  // What providers counted goes to agent_token_ratios, if it is time for that.
  void fold_statistics(Now now) { statistics_.fold_if_due(now); }

  // Nothing was claimed, because what was spent is not known.
  bool is_ledger_missing() const { return is_ledger_missing_; }

  // Jobs wait for this worker to give them an answer that it has stored.
  bool has_followers() const { return answers_.has_lead_ends(); }

  // The extension was not there when something failed.
  bool is_gone() const { return is_gone_; }

  // Is this database the one that the extension was created in (and not a copy of it)? In a transaction of its own;
  // nullopt: could not be looked at now, or the extension is not there.
  std::optional<bool> is_origin(Now now);
  // From now on it is not, until adopt_jobs(). False: could not be written now.
  bool disown(Now now);

 private:
  // What every transaction does first. Throws PgError.
  void open(class Transaction &transaction, Now now);
  StoreFailure failure_of(class PgError &error, Now now);
  bool look_whether_gone();
  void ensure_partitions(std::span<const Settlement> settlements, Now now);
  LaneClaimer::Sweep choose_sweep(Now now);
  void set_aside(StoreFailure &failure, Now now);
  void note_sweep(LaneClaimer::Sweep sweep, Now now);
  void release_permits(std::span<const Settlement> settlements, const std::vector<SettleFate> &fates);
  void complain_of_bounds();
  std::optional<int> promote_alone(Now now);
  std::optional<int> promote_scheduled(Now now);
  std::optional<int> finish_followers(Now now);
  bool has_ledger();
  void check_config_is_current() const;
  void wake_waiters(const std::vector<EndedJob> &ended) const;

  shared::DatabaseOid database_;
  int slot_;
  ClaimToken claim_;
  Log &log_;
  QueuePermits permits_;
  BudgetKeeper budgets_;
  AnswerCache answers_;
  LaneClaimer claimer_;
  Settler settler_;
  CancelInbox cancels_;
  Notifier notifier_;
  AlertWriter alert_writer_;
  BatchLimit alert_limit_{100};
  SteadyTime next_alerts_{};  // after a failure
  Promoter promoter_;
  UsagePartitions partitions_;
  TokenStatistics statistics_;
  std::unique_ptr<Statements> statements_;
  unsigned int statements_of_ = 0;  // the OID of the extension that they were rendered for
  std::string statements_in_;       // and its schema
  std::shared_ptr<const Catalog> catalog_;
  bool is_gone_ = false;
  bool is_ledger_missing_ = false;
  std::uint64_t work_seen_ = 0;
  std::uint64_t rescue_seen_ = 0;
  unsigned long config_loaded_ = 0;  // the generation that catalog_ has at least
  unsigned long config_seen_ = 0;
  std::optional<SteadyTime> last_sweep_;
  std::optional<unsigned long> config_swept_;  // the generation that the last sweep knew
};

}  // namespace agent_queue::pg
