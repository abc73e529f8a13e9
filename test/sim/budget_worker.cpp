// The workers of the budget simulator: what pg/store/budget_keeper, claim_writer and settler do, step by step.
#include <algorithm>
#include <utility>

#include "sim/budget_simulation.hpp"

namespace agent_queue::sim {

using Scope = Subject::Scope;
using State = BudgetJob::State;
using Kind = BudgetVerdict::Kind;

namespace {

constexpr int kBatch = 8;
constexpr std::size_t kRunningMax = 24;

}  // namespace

void BudgetSimulation::start(Worker &worker) {
  worker = Worker{};
  worker.claim = next_claim_++;
}

void BudgetSimulation::step(Worker &worker) {
  switch (worker.step) {
    case Step::idle:
      promote();
      if (lock_settled(worker) || lock_lost(worker)) return;
      return open_claim(worker);
    case Step::claim_open:
      return rule_claim(worker);
    case Step::claim_ruled:
      return end_claim(worker);
    case Step::rescue_ruled:
      return end_rescue(worker);
    case Step::settle_locked:
      return commit_settled(worker);
    case Step::settle_committed:
      return settle_holds(worker);
  }
}

// --- Claim --------------------------------------------------------------------------------------------------------

bool BudgetSimulation::has_room(const Worker &worker) {
  return worker.running.size() < kRunningMax;
}

void BudgetSimulation::open_claim(Worker &worker) {
  if (tables_.pending().empty() || !has_room(worker)) return;
  ledger_.roll_windows(utc_windows_at(now().wall));
  worker.opened_at = now().wall;
  worker.windows = ledger_.windows();
  worker.config_seen = config_generation_;
  worker.step = Step::claim_open;
}

void BudgetSimulation::rule_claim(Worker &worker) {
  std::vector<int> found;
  for (const int id : tables_.pending()) {
    if (tables_.job(id).locked_by != 0) continue;
    found.push_back(id);
    if (found.size() == static_cast<std::size_t>(kBatch)) break;
  }
  worker.step = Step::claim_ruled;
  for (const int id : found) {
    lock(worker, id);
    if (!rule(worker, id)) return abort(worker);
  }
}

// False: the day has ended since the transaction began, and the round is made again: the row would say that the attempt
// belongs to yesterday.
bool BudgetSimulation::rule(Worker &worker, int id) {
  const BudgetJob &job = tables_.job(id);
  Attempt attempt;
  const BudgetRuling ruling = ledger_.take_hold(job.user, job.type, job.worst_cost, steady_, attempt.ticket);
  switch (ruling.kind) {
    case Kind::fits:
      break;
    case Kind::used_up:
    case Kind::unpriced:
      ++counters_.refused;
      worker.refused.push_back(id);
      return true;
    case Kind::parked:
      ++counters_.parked;
      if (ruling.until <= ledger_.windows().day_start) fail("a job is parked until a time that has passed");
      worker.parked.emplace_back(id, ruling.until);
      return true;
    case Kind::held:
    case Kind::concurrency:
      ++(ruling.kind == Kind::held ? counters_.held : counters_.concurrency);
      worker.parked.emplace_back(id, now().wall + (ruling.turn - steady_));
      return true;
  }
  attempt.job = id;
  attempt.user = job.user;
  attempt.type = job.type;
  attempt.charged_tier = ledger_.tier_of(job.user);
  attempt.started_at = std::max(worker.opened_at, worker.windows.day_start);
  const Usd worst = job.worst_cost.value_or(Usd());
  attempt.cost = random_.chance(10) ? worst : Usd::from_femto(worst.femto() / 100 * random_.below(100));
  attempt.ends_at = steady_ + random_.duration(Micros{0}, std::chrono::minutes(3));
  worker.begun.push_back(std::move(attempt));
  check_begin(job);
  return ledger_.windows() == worker.windows;
}

// By what the tables say: of those in flight never more than the ledger knows, of what is spent not before its holds
// are settled.
void BudgetSimulation::check_begin(const BudgetJob &job) {
  const bool is_settling = std::any_of(workers_.begin(), workers_.end(),
                                       [](const Worker &other) { return other.step == Step::settle_committed; });
  const auto check_throttle = [&](Subject subject) {
    if (is_settling) return;
    const CostLimits &limits = config_.limits_of(subject);
    if (limits.on_limit != OnLimit::throttle || tables_.running(subject) == 0) return;
    const bool is_used_up = (limits.daily && tables_.spent(subject, Period::day) > *limits.daily) ||
                            (limits.monthly && tables_.spent(subject, Period::month) > *limits.monthly);
    if (is_used_up) fail("a throttled budget is used up, and has more than one attempt at a time");
  };
  check_throttle({Scope::all, 0});
  check_throttle({Scope::agent_type, job.type});
  if (job.user == kSystem) return;
  check_throttle({Scope::user, job.user});
  const std::optional<int> concurrency = config_.concurrency_of(job.user);
  if (concurrency && tables_.running({Scope::user, job.user}) >= *concurrency)
    fail("a user has more attempts at a time than the tier allows");
}

void BudgetSimulation::end_claim(Worker &worker) {
  if (is_aborted() || worker.config_seen != config_generation_) return abort(worker);
  for (const Attempt &attempt : worker.begun) {
    tables_.begin(attempt.job, worker.claim, attempt.started_at, attempt.charged_tier);
    ++counters_.begun;
  }
  for (const auto &[id, run_at] : worker.parked) tables_.schedule(id, run_at);
  for (const int id : worker.refused) tables_.leave(id, State::ended);
  commit("a claim");
  for (Attempt &attempt : worker.begun) worker.running.push_back(std::move(attempt));
  worker.begun.clear();
  unlock(worker);
  worker.parked.clear();
  worker.refused.clear();
  worker.step = Step::idle;
}

// drop_holds(): nothing was taken that was not for this transaction.
void BudgetSimulation::abort(Worker &worker) {
  ++counters_.aborted;
  if (worker.step == Step::claim_ruled)
    for (const Attempt &attempt : worker.begun) ledger_.give_back(attempt.ticket);
  for (Attempt &attempt : worker.settling) worker.running.push_back(std::move(attempt));
  worker.settling.clear();
  worker.begun.clear();
  worker.parked.clear();
  worker.refused.clear();
  unlock(worker);
  worker.step = Step::idle;
}

void BudgetSimulation::lock(Worker &worker, int id) {
  tables_.job(id).locked_by = worker.claim;
  worker.locked.push_back(id);
}

void BudgetSimulation::unlock(Worker &worker) {
  for (const int id : worker.locked) tables_.job(id).locked_by = 0;
  worker.locked.clear();
  for (const BudgetAttempt &key : worker.locked_orphans)
    if (const auto it = tables_.orphans().find(key); it != tables_.orphans().end()) it->second.locked_by = 0;
  worker.locked_orphans.clear();
}

// --- Rescue -------------------------------------------------------------------------------------------------------

bool BudgetSimulation::lock_lost(Worker &worker) {
  if (!is_finishing_ && !random_.chance(20)) return false;
  for (const int id : tables_.processing()) {
    if (worker.begun.size() == static_cast<std::size_t>(kBatch)) break;
    if (!is_lost(tables_.job(id))) continue;
    worker.locked.push_back(id);
    find_lost(worker, id, tables_.job(id));
  }
  for (auto &[key, orphan] : tables_.orphans()) {
    if (worker.begun.size() == static_cast<std::size_t>(kBatch)) break;
    if (!is_lost(orphan)) continue;
    worker.locked_orphans.push_back(key);
    find_lost(worker, key.first, orphan);
  }
  return worker.step == Step::rescue_ruled;
}

bool BudgetSimulation::is_lost(const BudgetJob &job) const {
  const bool is_alive =
      std::any_of(workers_.begin(), workers_.end(), [&](const Worker &other) { return other.claim == job.claim; });
  return !is_alive && job.locked_by == 0;
}

void BudgetSimulation::find_lost(Worker &worker, int id, BudgetJob &job) {
  job.locked_by = worker.claim;
  if (worker.step == Step::idle) {
    ledger_.roll_windows(utc_windows_at(now().wall));
    worker.step = Step::rescue_ruled;
  }
  Attempt attempt;
  attempt.job = id;
  attempt.user = job.user;
  attempt.type = job.type;
  attempt.charged_tier = job.charged_tier;
  attempt.started_at = job.started_at;
  attempt.cost = job.worst_cost.value_or(Usd());  // uncertain: what was held is booked
  attempt.ends_at = steady_;
  attempt.ticket = ledger_.find_hold(job.user, job.type, job.worst_cost.value_or(Usd()), job.started_at);
  worker.begun.push_back(std::move(attempt));
}

void BudgetSimulation::end_rescue(Worker &worker) {
  if (is_aborted()) return abort(worker);
  for (const int id : worker.locked) tables_.take_over(id, worker.claim);
  for (const BudgetAttempt &key : worker.locked_orphans) tables_.orphans().at(key).claim = worker.claim;
  counters_.rescued += static_cast<int>(worker.locked.size());
  counters_.adopted += static_cast<int>(worker.locked_orphans.size());
  for (Attempt &attempt : worker.begun) worker.running.push_back(std::move(attempt));
  worker.begun.clear();
  commit("a rescue");
  unlock(worker);
  worker.step = Step::idle;
}

// --- Settle -------------------------------------------------------------------------------------------------------

bool BudgetSimulation::is_own(const Worker &worker, const Attempt &attempt) const {
  const BudgetJob &job = tables_.jobs()[static_cast<std::size_t>(attempt.job)];
  return job.state == State::processing && job.claim == worker.claim && job.started_at == attempt.started_at;
}

bool BudgetSimulation::lock_settled(Worker &worker) {
  for (auto it = worker.running.begin(); it != worker.running.end();) {
    const bool is_due = it->ends_at <= steady_ && (is_finishing_ || random_.chance(50));
    const bool is_locked = tables_.job(it->job).locked_by != 0 && is_own(worker, *it);
    if (!is_due || is_locked) {
      ++it;
      continue;
    }
    if (is_own(worker, *it)) lock(worker, it->job);
    worker.settling.push_back(std::move(*it));
    it = worker.running.erase(it);
  }
  if (worker.settling.empty()) return false;
  worker.step = Step::settle_locked;
  return true;
}

void BudgetSimulation::commit_settled(Worker &worker) {
  if (is_aborted()) return abort(worker);
  for (const Attempt &attempt : worker.settling) {
    BudgetJob &job = tables_.job(attempt.job);
    tables_.add_usage(attempt.user, attempt.type, attempt.charged_tier, attempt.started_at, attempt.cost);
    if (!is_own(worker, attempt)) {
      tables_.forget_orphan({attempt.job, attempt.started_at});
      ++counters_.orphaned;
      continue;
    }
    if (random_.chance(20) && --job.attempts_left > 0)
      tables_.schedule(attempt.job, now().wall + random_.duration(Micros{0}, std::chrono::minutes(1)));
    else
      tables_.leave(attempt.job, State::ended);
  }
  commit("a settle");
  unlock(worker);
  worker.step = Step::settle_committed;
}

void BudgetSimulation::settle_holds(Worker &worker) {
  for (const Attempt &attempt : worker.settling)
    ledger_.settle_hold(attempt.ticket, attempt.cost, now().wall - attempt.started_at);
  worker.settling.clear();
  worker.step = Step::idle;
}

// --- Ends ---------------------------------------------------------------------------------------------------------

// The server lives on. No interrupt is served between a commit and what follows it.
void BudgetSimulation::die(Worker &worker) {
  if (worker.step == Step::settle_committed) return;
  if (worker.step != Step::idle) abort(worker);
  start(worker);
  ++counters_.deaths;
}

void BudgetSimulation::kill_server() {
  for (Worker &worker : workers_) {
    unlock(worker);
    start(worker);
  }
  tables_.load(ledger_, now().wall);
  commit("a start of the server");
  ++counters_.kills;
}

}  // namespace agent_queue::sim
