#include "sim/budget_simulation.hpp"

#include <algorithm>

namespace agent_queue::sim {

using Scope = Subject::Scope;
using State = BudgetJob::State;
using Kind = BudgetVerdict::Kind;

namespace {

constexpr WallTime kStart{std::chrono::sys_days{std::chrono::year{2026} / 1 / 12}};
constexpr Micros kFaulty{std::chrono::days(31)};
constexpr Micros kPatience{std::chrono::days(3000)};
constexpr int kUsers = 1000;
constexpr int kBusyUsers = 40;
constexpr int kTypes = 6;
constexpr int kTiers = 5;

Usd milli(int amount) {
  return Usd::from_femto(static_cast<__int128>(amount) * 1'000'000'000'000);
}

}  // namespace

CostLimits BudgetSimulation::some_limits(int milli_a_day, int days_a_month) {
  constexpr OnLimit kOnLimits[] = {OnLimit::refuse, OnLimit::park, OnLimit::park, OnLimit::throttle, OnLimit::alert};
  CostLimits limits;
  if (random_.chance(85)) limits.daily = milli(random_.between(milli_a_day / 2, milli_a_day * 2));
  if (random_.chance(70)) limits.monthly = milli(milli_a_day * random_.between(days_a_month / 2, days_a_month * 2));
  limits.on_limit = kOnLimits[random_.below(5)];
  return limits;
}

BudgetSimulation::BudgetSimulation(std::uint64_t seed) : random_(seed), steady_(kStart.time_since_epoch()) {
  config_.of_all = random_.chance(70) ? some_limits(3000, 20) : CostLimits{};
  for (int i = 0; i < kTypes; ++i) config_.of_types.push_back(random_.chance(60) ? some_limits(700, 20) : CostLimits{});
  for (int i = 0; i < kTiers; ++i) {
    config_.of_tiers.push_back(random_.chance(60) ? some_limits(1000, 20) : CostLimits{});
    config_.of_users_of_tier.push_back(random_.chance(80) ? some_limits(100, 6) : CostLimits{});
    config_.concurrency_of_tier.push_back(random_.chance(40) ? std::optional(random_.between(1, 4)) : std::nullopt);
  }
  for (int i = 0; i < kUsers; ++i) {
    BudgetUser user{.tier = random_.below(kTiers), .own = {}};
    if (random_.chance(10)) user.own = some_limits(150, 8);
    config_.users.push_back(user);
  }
  ledger_.clear(utc_windows_at(now().wall));
  workers_.resize(static_cast<std::size_t>(random_.between(2, 3)));
  for (Worker &worker : workers_) start(worker);
}

BudgetSimulation::Worker &BudgetSimulation::any_worker() {
  return workers_[static_cast<std::size_t>(random_.below(static_cast<int>(workers_.size())))];
}

void BudgetSimulation::run() {
  while (steady_.time_since_epoch() < kStart.time_since_epoch() + kFaulty && problems_.empty()) {
    steady_ += random_.chance(8) ? random_.duration(Micros{0}, std::chrono::minutes(14))
                                 : random_.duration(Micros{0}, std::chrono::seconds(6));
    step(any_worker());
    if (random_.chance(5)) enqueue();
    const int fault = random_.below(4000);
    if (fault < 30) cancel();
    if (fault >= 30 && fault < 40) change_limits();
    if (fault >= 40 && fault < 55) change_tier();
    if (fault >= 55 && fault < 70) die(any_worker());
    if (fault == 70 || fault == 71) kill_server();
    if (fault == 72) set_clock_back();
    if (fault >= 73 && fault < 90) ledger_.sweep();
  }
  is_finishing_ = true;
  const SteadyTime patience = steady_ + kPatience;
  while (problems_.empty() && steady_ < patience && !(tables_.is_all_ended() && !is_anything_due())) {
    for (Worker &worker : workers_) step(worker);
    if (!is_anything_due()) advance();
  }
  if (!problems_.empty()) return;
  if (!tables_.is_all_ended()) fail("a job waits for ever");
  if (tables_.booked() != static_cast<std::size_t>(counters_.begun))
    fail(std::to_string(counters_.begun) + " attempts were begun, and " + std::to_string(tables_.booked()) + " booked");
  if (const std::optional<Subject> subject = ledger_.find_holding())
    fail("something is held at the end: scope " + std::to_string(static_cast<int>(subject->scope)) + ", " +
         std::to_string(subject->number));
}

bool BudgetSimulation::is_anything_due() const {
  if (!tables_.scheduled().empty() && tables_.scheduled().begin()->first <= now().wall) return true;
  const bool is_pending = !tables_.pending().empty();
  return std::any_of(workers_.begin(), workers_.end(), [&](const Worker &worker) {
    const bool is_claiming = is_pending && has_room(worker);
    const bool is_settling = std::any_of(worker.running.begin(), worker.running.end(),
                                         [&](const Attempt &attempt) { return attempt.ends_at <= steady_; });
    return worker.step != Step::idle || is_claiming || is_settling;
  });
}

// To whatever is next, in strides: who waits for another's end asks often.
void BudgetSimulation::advance() {
  std::optional<SteadyTime> next;
  const auto note = [&](SteadyTime at) { next = std::min(next.value_or(at), at); };
  for (const Worker &worker : workers_)
    for (const Attempt &attempt : worker.running) note(attempt.ends_at);
  if (!tables_.scheduled().empty()) note(steady_ + (tables_.scheduled().begin()->first - now().wall));
  steady_ = std::max(steady_ + std::chrono::seconds(30), next.value_or(steady_));
}

void BudgetSimulation::enqueue() {
  const int user = random_.chance(3) ? kSystem : random_.chance(60) ? random_.below(kBusyUsers) : random_.below(kUsers);
  ledger_.roll_windows(utc_windows_at(now().wall));
  for (int count = random_.between(1, 5); count > 0; --count) {
    BudgetJob job;
    job.user = user;
    job.type = random_.below(kTypes);
    if (!random_.chance(1))
      job.worst_cost = milli(random_.chance(2) ? random_.between(50, 3000) : random_.between(0, 50));
    if (ledger_.check_budget(job.user, job.type, job.worst_cost) != Kind::fits) {
      ++counters_.refused;
      continue;
    }
    tables_.insert(job);
  }
}

// By its user; some are tried again while the old attempt still runs, and some workers die before they have noted it.
void BudgetSimulation::cancel() {
  Worker &worker = any_worker();
  const std::vector<Attempt> &running = worker.running;
  if (running.empty()) return;
  const int id = running[static_cast<std::size_t>(random_.below(static_cast<int>(running.size())))].job;
  const BudgetJob &job = tables_.job(id);
  if (job.state != State::processing || job.locked_by != 0) return;
  tables_.cancel(id);
  commit("a cancel");
  if (random_.chance(40)) tables_.leave(id, State::pending);
  if (random_.chance(25)) die(worker);
}

void BudgetSimulation::change_limits() {
  constexpr Scope kScopes[] = {Scope::all, Scope::agent_type, Scope::tier, Scope::user, Scope::user};
  Subject subject{kScopes[random_.below(5)], 0};
  const int counts[] = {1, kTypes, kBusyUsers, kTiers};
  subject.number = random_.below(counts[static_cast<int>(subject.scope)]);
  const auto number = static_cast<std::size_t>(subject.number);
  tables_.before_change(subject);
  if (subject.scope == Scope::all) config_.of_all = some_limits(3000, 20);
  if (subject.scope == Scope::agent_type) config_.of_types[number] = some_limits(700, 20);
  if (subject.scope == Scope::tier) config_.of_tiers[number] = some_limits(1000, 20);
  if (subject.scope == Scope::user) config_.users[number].own = some_limits(random_.between(10, 200), 6);
  tables_.after_change(subject);
  ++config_generation_;
  ++counters_.changes;
}

// Often of a user whose attempts are under way, and whose worker dies before they end.
void BudgetSimulation::change_tier() {
  Worker &worker = any_worker();
  int user = random_.below(kBusyUsers);
  if (!worker.running.empty() && worker.running.front().user != kSystem) user = worker.running.front().user;
  tables_.before_change({Scope::user, user});
  config_.users[static_cast<std::size_t>(user)].tier = random_.below(kTiers);
  tables_.after_change({Scope::user, user});
  ++config_generation_;
  if (random_.chance(30)) die(worker);
}

void BudgetSimulation::set_clock_back() {
  offset_ = random_.chance(50) ? Micros{0} : offset_ - random_.duration(Micros{0}, std::chrono::hours(30));
  ++counters_.set_back;
}

void BudgetSimulation::promote() {
  while (!tables_.scheduled().empty() && tables_.scheduled().begin()->first <= now().wall)
    tables_.leave(tables_.scheduled().begin()->second, State::pending);
}

}  // namespace agent_queue::sim
