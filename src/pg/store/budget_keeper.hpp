// What this worker holds of the budgets: a hold is taken before a claim commits, belongs to the attempt from then on,
// and is settled when the attempt's settle has committed. Beside it the alerts that are due. One per worker.
// Regime: guarded C++. Tested in test/tap/310_budgets.pl.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/time.hpp"
#include "core/catalog/catalog.hpp"
#include "core/job/job.hpp"
#include "pg/shared/ledger.hpp"
#include "pg/store/payers.hpp"
#include "ports/job_store.hpp"
#include "ports/log.hpp"

namespace agent_queue::pg {

// What is to become of a job that a claim has found.
struct Ruling {
  enum class Kind { begin, park, refuse, served } kind = Kind::begin;  // served: completed by a stored answer
  WallTime run_at;                                                     // park
  WaitReason wait_reason = WaitReason::budget;
  bool moves_expiry = false;  // park: the wait is not the job's fault
  JobErrorCode error_code = JobErrorCode::budget_exceeded;
  std::string message;  // refuse
};

class BudgetKeeper {
 public:
  explicit BudgetKeeper(Log &log) : log_(log) {}

  // First of all in each transaction of the store. Throws PgError.
  void open(shared::LedgerKey key, Now now);
  // Of the running transaction: on_commit() or on_abort() says how it has ended. Throw PgError.
  void read_users(std::span<const ClaimedJob *const> jobs);
  Ruling rule(const ClaimedJob &job, std::optional<Usd> hold, Now now);
  // When those that may begin do so: no earlier than the running day, also where the clock was set back: what they cost
  // belongs to the day that holds it. After the last rule().
  WallTime begin(Now now);
  // A job of a dead worker, now this worker's: its hold stands in the ledger.
  void adopt(const ClaimedJob &job, std::optional<Usd> hold);

  void on_commit(std::span<const Settlement> settlements, std::span<const SettleFate> fates);
  void on_abort();

  // Alerts that are due, those included that sessions have reported. They are gone from here when accept_alerts() says
  // that they were written.
  const std::vector<shared::Alert> &alerts();
  // The first so many were written.
  void accept_alerts(std::size_t count) {
    alerts_.erase(alerts_.begin(), alerts_.begin() + static_cast<std::ptrdiff_t>(count));
  }

 private:
  struct AttemptHash {
    std::size_t operator()(const AttemptId &id) const noexcept {
      return static_cast<std::size_t>(id.job.value) * 0x9E3779B97F4A7C15U;
    }
  };
  struct Running {
    shared::Ticket ticket;
    shared::Payer payer;  // as it was at the claim, without of_tiers
    std::vector<shared::TierBudget> tiers;
  };
  static Running make_running(const shared::Payer &payer);
  void complain_of_room(Now now);
  void raise_alerts(const shared::Payer &payer, const shared::Decision *refusal);

  Log &log_;
  shared::LedgerKey key_;
  Windows windows_;
  WallTime last_begin_{};
  SteadyTime next_complaint_{};
  std::unordered_map<AttemptId, Running, AttemptHash> running_;
  std::vector<shared::Alert> alerts_;
  // Of the running transaction:
  std::vector<std::pair<AttemptId, Running>> begun_;
};

}  // namespace agent_queue::pg
