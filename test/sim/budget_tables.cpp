#include "sim/budget_tables.hpp"

#include <algorithm>

namespace agent_queue::sim {

using Scope = Subject::Scope;
using State = BudgetJob::State;

namespace {

constexpr Period kPeriods[] = {Period::day, Period::month};

std::string name_of(Subject subject) {
  constexpr const char *kNames[] = {"all", "agent type", "user", "tier"};
  return std::string(kNames[static_cast<int>(subject.scope)]) + " " + std::to_string(subject.number);
}

}  // namespace

Windows utc_windows_at(WallTime now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date{day};
  const auto month = date.year() / date.month();
  return {.day_start = day,
          .day_end = day + std::chrono::days(1),
          .month_start = std::chrono::sys_days{month / 1},
          .month_end = std::chrono::sys_days{(month + std::chrono::months(1)) / 1}};
}

std::vector<Subject> BudgetTables::subjects_of(int user, int type, int tier) {
  std::vector<Subject> subjects{{Scope::all, 0}, {Scope::agent_type, type}};
  if (user == kSystem) return subjects;
  subjects.push_back({Scope::user, user});
  subjects.push_back({Scope::tier, tier});
  return subjects;
}

void BudgetTables::change(int user, int type, int tier, WallTime started_at, Usd spent, Usd held) {
  const Windows windows = utc_windows_at(started_at);
  for (const Subject subject : subjects_of(user, type, tier))
    for (const Period period : kPeriods) {
      const Key key{subject, period, windows.start(period)};
      Sum &sum = sums_[key];
      touched_.try_emplace(key, sum.spent + sum.held);
      sum.spent += spent;
      sum.held += held;
    }
}

void BudgetTables::charge_hold(const BudgetJob &job, bool is_taken) {
  const Usd hold = job.worst_cost.value_or(Usd());
  change(job.user, job.type, job.charged_tier, job.started_at, Usd(), is_taken ? hold : Usd() - hold);
  for (const Subject subject : subjects_of(job.user, job.type, job.charged_tier))
    running_[subject] += is_taken ? 1 : -1;
}

int BudgetTables::insert(const BudgetJob &job) {
  const int id = static_cast<int>(jobs_.size());
  jobs_.push_back(job);
  pending_.insert(id);
  return id;
}

void BudgetTables::remove(int id) {
  const BudgetJob &of = job(id);
  if (of.state == State::processing) charge_hold(of, false);
  pending_.erase(id);
  processing_.erase(id);
  scheduled_.erase({of.run_at, id});
}

void BudgetTables::begin(int id, int claim, WallTime started_at, int charged_tier) {
  remove(id);
  BudgetJob &of = job(id);
  of.state = State::processing;
  of.claim = claim;
  of.started_at = started_at;
  of.charged_tier = charged_tier;
  processing_.insert(id);
  charge_hold(of, true);
}

void BudgetTables::schedule(int id, WallTime run_at) {
  remove(id);
  job(id).state = State::scheduled;
  job(id).run_at = run_at;
  scheduled_.emplace(run_at, id);
}

void BudgetTables::leave(int id, State state) {
  remove(id);
  job(id).state = state;
  if (state == State::pending) pending_.insert(id);
}

void BudgetTables::cancel(int id) {
  const BudgetJob orphan = job(id);
  leave(id, State::cancelled);
  orphans_.emplace(BudgetAttempt{id, orphan.started_at}, orphan);
  charge_hold(orphan, true);
}

void BudgetTables::forget_orphan(BudgetAttempt key) {
  const auto it = orphans_.find(key);
  charge_hold(it->second, false);
  orphans_.erase(it);
}

void BudgetTables::add_usage(int user, int type, int charged_tier, WallTime started_at, Usd cost) {
  usage_.push_back({user, type, charged_tier, started_at, cost});
  change(user, type, charged_tier, started_at, cost, Usd());
}

std::optional<Usd> BudgetTables::hard_limit(Subject subject, Period period) const {
  const CostLimits &limits = config_.limits_of(subject);
  if (!is_hard(limits.on_limit)) return std::nullopt;
  return period == Period::day ? limits.daily : limits.monthly;
}

void BudgetTables::check_sum(const Key &key, bool is_more, std::vector<std::string> &problems, const char *commit) {
  Sum &sum = sums_[key];
  const Usd total = sum.spent + sum.held;
  const bool is_running = key.start == ledger_.windows().start(key.period);
  const auto complain = [&](const std::string &what) {
    problems.push_back(std::string(commit) + ": " + name_of(key.subject) + " has $" + total.to_string() + " a " +
                       period_name(key.period) + ", " + what);
  };
  if (key.start > ledger_.windows().start(key.period)) complain("in a window that the ledger does not know yet");
  if (is_running && total > ledger_.total(key.subject, key.period))
    complain("and the ledger $" + ledger_.total(key.subject, key.period).to_string());
  const std::optional<Usd> limit = hard_limit(key.subject, key.period);
  if (!limit) return;
  const Usd allowed = std::max(*limit, sum.excused.value_or(Usd()));
  if (is_more && !sum.is_unbounded && total > allowed) complain("and the limit is $" + allowed.to_string());
  // What was excused does not come again.
  if (is_running && sum.excused) sum.excused = std::min(*sum.excused, ledger_.total(key.subject, key.period));
}

void BudgetTables::check(std::vector<std::string> &problems, const char *commit) {
  for (const auto &[key, before] : touched_) {
    const Sum &sum = sums_[key];
    check_sum(key, sum.spent + sum.held > before, problems, commit);
  }
  touched_.clear();
}

void BudgetTables::before_change(Subject subject) {
  for (auto &[key, sum] : sums_) {
    if (key.subject != subject || key.start == ledger_.windows().start(key.period)) continue;
    const std::optional<Usd> limit = hard_limit(subject, key.period);
    if (limit)
      sum.excused = std::max(*limit, sum.excused.value_or(Usd()));
    else
      sum.is_unbounded = true;
  }
}

void BudgetTables::after_change(Subject subject) {
  for (const Period period : kPeriods)
    sums_[{subject, period, ledger_.windows().start(period)}].excused = ledger_.total(subject, period);
}

// Who has changed tiers since has moved what was spent to the new one.
void BudgetTables::retag() {
  for (auto it = sums_.begin(); it != sums_.end();)
    it = it->first.subject.scope == Scope::tier ? sums_.erase(it) : std::next(it);
  std::erase_if(running_, [](const auto &entry) { return entry.first.scope == Scope::tier; });
  const auto add = [&](int user, int &tier, WallTime started_at, Usd spent, Usd held) {
    if (user == kSystem) return;
    tier = config_.users[static_cast<std::size_t>(user)].tier;
    const Windows windows = utc_windows_at(started_at);
    for (const Period period : kPeriods) {
      Sum &sum = sums_[{{Scope::tier, tier}, period, windows.start(period)}];
      sum.spent += spent;
      sum.held += held;
    }
  };
  for (Usage &usage : usage_) add(usage.user, usage.charged_tier, usage.started_at, usage.cost, Usd());
  const auto add_running = [&](BudgetJob &of) {
    add(of.user, of.charged_tier, of.started_at, Usd(), of.worst_cost.value_or(Usd()));
    if (of.user != kSystem) ++running_[{Scope::tier, of.charged_tier}];
  };
  for (const int id : processing_) add_running(job(id));
  for (auto &[key, orphan] : orphans_) add_running(orphan);
}

void BudgetTables::load(BudgetLedger &ledger, WallTime now) {
  retag();
  // A clock that was set back before the start is not believed: the day that has begun goes on.
  for (const Usage &usage : usage_) now = std::max(now, usage.started_at);
  for (const int id : processing_) now = std::max(now, job(id).started_at);
  for (const auto &[key, orphan] : orphans_) now = std::max(now, orphan.started_at);
  const Windows windows = utc_windows_at(now);
  ledger.clear(windows);
  for (const Usage &usage : usage_)
    if (usage.started_at >= windows.month_start)
      ledger.add_spent(usage.user, usage.type, usage.started_at >= windows.day_start ? usage.cost : Usd(), usage.cost);
  const auto add_held = [&](const BudgetJob &of) {
    ledger.add_held(of.user, of.type, of.worst_cost.value_or(Usd()), of.started_at);
  };
  for (const int id : processing_) add_held(job(id));
  for (const auto &[key, orphan] : orphans_) add_held(orphan);
  for (std::size_t i = 0; i < config_.of_tiers.size(); ++i) after_change({Scope::tier, static_cast<int>(i)});
}

int BudgetTables::running(Subject subject) const {
  const auto it = running_.find(subject);
  return it == running_.end() ? 0 : it->second;
}

Usd BudgetTables::spent(Subject subject, Period period) const {
  const auto it = sums_.find({subject, period, ledger_.windows().start(period)});
  return it == sums_.end() ? Usd() : it->second.spent;
}

}  // namespace agent_queue::sim
