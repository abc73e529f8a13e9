// A month of many users, budgets that are too small for them, and workers that claim in batches and settle in any
// order, while everything goes wrong. One seed, one life. All decisions are core/limit's; what is committed is judged
// by BudgetTables.
#pragma once

#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "sim/budget_ledger.hpp"
#include "sim/budget_tables.hpp"
#include "sim/random.hpp"

namespace agent_queue::sim {

struct BudgetCounters {
  int begun = 0, parked = 0, held = 0, concurrency = 0, refused = 0, aborted = 0, rescued = 0, orphaned = 0;
  int adopted = 0, deaths = 0, kills = 0, changes = 0, set_back = 0;
};

class BudgetSimulation {
 public:
  explicit BudgetSimulation(std::uint64_t seed);

  // A month with faults; then nothing is added, and all must end.
  void run();

  const std::vector<std::string> &problems() const { return problems_; }
  const BudgetCounters &counters() const { return counters_; }

 private:
  struct Attempt {
    int job = 0, user = kSystem, type = 0, charged_tier = 0;
    WallTime started_at;
    Usd cost;
    SteadyTime ends_at;
    BudgetTicket ticket;
  };
  // A worker's transaction, in the steps between which others go on.
  enum class Step { idle, claim_open, claim_ruled, rescue_ruled, settle_locked, settle_committed };
  struct Worker {
    int claim = 0;
    Step step = Step::idle;
    std::vector<Attempt> running;
    WallTime opened_at;   // the time of the whole transaction
    Windows windows;      // … and its windows
    int config_seen = 0;  // by it
    std::vector<int> locked;
    std::vector<BudgetAttempt> locked_orphans;
    std::vector<Attempt> begun;
    std::vector<std::pair<int, WallTime>> parked;
    std::vector<int> refused;
    std::vector<Attempt> settling;
  };

  Now now() const { return {.wall = WallTime(steady_.time_since_epoch()) + offset_, .steady = steady_}; }
  void fail(const std::string &problem) { problems_.push_back(problem); }
  void commit(const char *what) { tables_.check(problems_, what); }
  bool is_aborted() { return !is_finishing_ && random_.chance(12); }
  Worker &any_worker();
  void advance();
  bool is_anything_due() const;

  void enqueue();
  void cancel();
  void change_limits();
  void change_tier();
  void set_clock_back();
  CostLimits some_limits(int milli_a_day, int days_a_month);

  void promote();
  void step(Worker &worker);
  static bool has_room(const Worker &worker);
  void open_claim(Worker &worker);
  void rule_claim(Worker &worker);
  bool rule(Worker &worker, int job);
  void check_begin(const BudgetJob &job);
  void end_claim(Worker &worker);
  bool lock_lost(Worker &worker);
  void find_lost(Worker &worker, int id, BudgetJob &job);
  bool is_lost(const BudgetJob &job) const;
  void end_rescue(Worker &worker);
  bool lock_settled(Worker &worker);
  void commit_settled(Worker &worker);
  void settle_holds(Worker &worker);
  void abort(Worker &worker);
  void lock(Worker &worker, int job);
  void unlock(Worker &worker);
  bool is_own(const Worker &worker, const Attempt &attempt) const;
  void start(Worker &worker);
  void die(Worker &worker);
  void kill_server();

  Random random_;
  BudgetConfig config_;
  int config_generation_ = 0;
  BudgetLedger ledger_{config_};
  BudgetTables tables_{config_, ledger_};
  std::vector<Worker> workers_;
  int next_claim_ = 1;
  SteadyTime steady_;
  Micros offset_{0};
  bool is_finishing_ = false;
  BudgetCounters counters_;
  std::vector<std::string> problems_;
};

}  // namespace agent_queue::sim
