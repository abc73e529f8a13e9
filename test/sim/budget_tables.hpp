// The committed rows of the budget simulator, and the invariant over them: for every hard budget, in every window,
// spent + held ≤ limit after each commit, and the ledger says at least that much.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.hpp"
#include "core/base/usd.hpp"
#include "sim/budget_ledger.hpp"

namespace agent_queue::sim {

Windows utc_windows_at(WallTime now);

struct BudgetJob {
  enum class State { pending, scheduled, processing, ended, cancelled };
  int user = kSystem;
  int type = 0;
  std::optional<Usd> worst_cost;  // empty: no price is known
  int attempts_left = 3;
  State state = State::pending;
  WallTime run_at;       // scheduled
  int claim = 0;         // processing: by which worker
  WallTime started_at;   // … since when
  int charged_tier = 0;  // … at whose expense
  int locked_by = 0;     // the claim whose transaction is running; 0: nobody's
};

// Which attempt at which job.
using BudgetAttempt = std::pair<int, WallTime>;

class BudgetTables {
 public:
  BudgetTables(const BudgetConfig &config, const BudgetLedger &ledger) : config_(config), ledger_(ledger) {}

  const std::vector<BudgetJob> &jobs() const { return jobs_; }
  BudgetJob &job(int id) { return jobs_[static_cast<std::size_t>(id)]; }
  const std::set<int> &pending() const { return pending_; }
  const std::set<int> &processing() const { return processing_; }
  const std::set<std::pair<WallTime, int>> &scheduled() const { return scheduled_; }
  // Attempts that are under way and whose jobs were cancelled.
  std::map<BudgetAttempt, BudgetJob> &orphans() { return orphans_; }
  std::size_t booked() const { return usage_.size(); }
  bool is_all_ended() const {
    return pending_.empty() && processing_.empty() && scheduled_.empty() && orphans_.empty();
  }

  // What transactions write. check() follows each commit.
  int insert(const BudgetJob &job);
  void begin(int id, int claim, WallTime started_at, int charged_tier);
  void take_over(int id, int claim) { job(id).claim = claim; }
  void schedule(int id, WallTime run_at);
  void leave(int id, BudgetJob::State state);  // pending, ended
  void cancel(int id);                         // one that is processing: its attempt is an orphan
  void forget_orphan(BudgetAttempt key);
  void add_usage(int user, int type, int charged_tier, WallTime started_at, Usd cost);
  void check(std::vector<std::string> &problems, const char *commit);

  // Before the limits of the subject change, and after it: what is spent and held beyond the new limit by then is
  // nobody's fault; in windows that are over the old limit holds.
  void before_change(Subject subject);
  void after_change(Subject subject);

  // As LedgerLoader reads them. Costs belong to the tiers that users have now, from here on.
  void load(BudgetLedger &ledger, WallTime now);

  int running(Subject subject) const;
  Usd spent(Subject subject, Period period) const;  // in the running window

 private:
  struct Key {
    Subject subject;
    Period period;
    WallTime start;
    auto operator<=>(const Key &) const = default;
  };
  struct Sum {
    Usd spent, held;
    std::optional<Usd> excused;
    bool is_unbounded = false;  // it was so until the window ended
  };
  struct Usage {
    int user, type, charged_tier;
    WallTime started_at;
    Usd cost;
  };
  static std::vector<Subject> subjects_of(int user, int type, int tier);
  void change(int user, int type, int tier, WallTime started_at, Usd spent, Usd held);
  void charge_hold(const BudgetJob &job, bool is_taken);
  void remove(int id);
  void retag();
  void check_sum(const Key &key, bool is_more, std::vector<std::string> &problems, const char *commit);
  std::optional<Usd> hard_limit(Subject subject, Period period) const;

  const BudgetConfig &config_;
  const BudgetLedger &ledger_;
  std::vector<BudgetJob> jobs_;
  std::vector<Usage> usage_;
  std::set<int> pending_, processing_;
  std::map<BudgetAttempt, BudgetJob> orphans_;  // the job as it was
  std::set<std::pair<WallTime, int>> scheduled_;
  std::map<Key, Sum> sums_;
  std::map<Key, Usd> touched_;  // by the running commit: what the sum was before
  std::map<Subject, int> running_;
};

}  // namespace agent_queue::sim
