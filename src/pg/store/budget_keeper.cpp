#include "pg/store/budget_keeper.hpp"

#include <algorithm>
#include <utility>

#include "core/catalog/hold.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/store/budget_windows.hpp"
#include "pg/store/user_directory.hpp"

namespace agent_queue::pg {

namespace {

// A user's alerts of a day and a month, a tier's, an agent type's and those of all: no round raises more at once.
constexpr std::size_t kAlertsMax = 10'000;
constexpr Micros kComplaintInterval{std::chrono::minutes(1)};

AttemptId attempt_of(const ClaimedJob &job) {
  return {.job = job.id, .started_at = job.started_at};
}

std::string whose(const shared::Decision &decision) {
  switch (decision.scope) {
    case shared::Scope::user:
      return "the user";
    case shared::Scope::tier:
      return "the user's tier";
    case shared::Scope::agent_type:
      return "the agent type";
    case shared::Scope::all:
      return "all jobs together";
  }
  return "all jobs together";
}

// What many users have spent together is not for one of them to know.
std::string used_up_message(const shared::Decision &decision, Usd hold) {
  std::string message = "the job may cost up to $" + hold.to_string() + ", which is more than is left of what " +
                        whose(decision) + " may spend a " + period_name(decision.period);
  if (decision.scope == shared::Scope::user)
    message += ": $" + decision.spent.to_string() + " of $" + decision.limit.to_string() + " are spent";
  return message;
}

// What was sent and whose price nobody can say any more (its route is gone) counts as what was held for it.
Usd cost_of(const Settlement &settlement, const Hold &hold) {
  if (!settlement.usage) return {};
  return settlement.usage->cost.value_or(settlement.usage->estimated ? hold.amount : Usd());
}

Ruling refuse(JobErrorCode code, std::string message) {
  Ruling ruling;
  ruling.kind = Ruling::Kind::refuse;
  ruling.error_code = code;
  ruling.message = std::move(message);
  return ruling;
}

Ruling park(WaitReason reason, WallTime run_at) {
  Ruling ruling;
  ruling.kind = Ruling::Kind::park;
  ruling.wait_reason = reason;
  ruling.run_at = run_at;
  ruling.moves_expiry = reason == WaitReason::budget;
  return ruling;
}

}  // namespace

void BudgetKeeper::open(shared::LedgerKey key, Now now) {
  key_ = key;
  windows_ = roll_windows(key, now.wall);
}

void BudgetKeeper::read_users(std::span<const ClaimedJob *const> jobs) {
  std::vector<UserId> users;
  for (const ClaimedJob *job : jobs)
    if (job->user_id) users.push_back(*job->user_id);
  pg::read_users(users);
}

Ruling BudgetKeeper::rule(const ClaimedJob &job, std::optional<Usd> hold, Now now) {
  const std::shared_ptr<const Payers> payers = current_payers();
  const std::optional<shared::Payer> payer = payers->find(job.agent_type, job.user_id);
  if (!payer) return refuse(JobErrorCode::configuration, "the tier of the job's user does not exist");
  Running running = make_running(*payer);
  const shared::Decision decision = shared::take_hold(key_, *payer, hold, now.steady, running.ticket);
  switch (decision.kind) {
    case BudgetVerdict::Kind::fits:
      // The row would say that the attempt belongs to the day before, which the ledger has forgotten.
      if (running.ticket.hold.day_start != windows_.day_start)
        raise(sqlstate("40001"), {.message = "the day has ended during a claim", .detail = {}, .hint = {}});
      begun_.emplace_back(attempt_of(job), std::move(running));
      return {};
    case BudgetVerdict::Kind::unpriced:
      return refuse(JobErrorCode::configuration, "no price is known for a route of agent type \"" + job.agent_type +
                                                     "\", and the budget of " + whose(decision) + " is hard");
    case BudgetVerdict::Kind::used_up:
      raise_alerts(*payer, &decision);
      return refuse(JobErrorCode::budget_exceeded, used_up_message(decision, hold.value_or(Usd())));
    case BudgetVerdict::Kind::parked:
      raise_alerts(*payer, &decision);
      return park(WaitReason::budget, decision.until);
    case BudgetVerdict::Kind::held:
      if (decision.is_without_room) complain_of_room(now);
      return park(WaitReason::held, now.wall + (decision.turn - now.steady));
    case BudgetVerdict::Kind::concurrency:
      return park(WaitReason::concurrency, now.wall + (decision.turn - now.steady));
  }
  return {};
}

WallTime BudgetKeeper::begin(Now now) {
  WallTime at = now.wall;
  // Attempts at one job are told apart by their begin: it must not stand still while the clock is behind.
  if (at < windows_.day_start) at = last_begin_ = std::max(windows_.day_start, last_begin_ + Micros{1});
  for (auto &[id, running] : begun_) id.started_at = at;
  return at;
}

void BudgetKeeper::complain_of_room(Now now) {
  if (now.steady < next_complaint_) return;
  next_complaint_ = now.steady + kComplaintInterval;
  log_.write(LogLevel::warning, "jobs wait because their users cannot be counted: raise agent_queue.max_tracked_users");
}

void BudgetKeeper::adopt(const ClaimedJob &job, std::optional<Usd> hold) {
  const shared::Payer payer = current_payers()->find_in_any_case(job.agent_type, job.user_id);
  Running running = make_running(payer);
  running.ticket = shared::find_hold(key_, payer, hold.value_or(Usd()), job.started_at);
  begun_.emplace_back(attempt_of(job), std::move(running));
}

BudgetKeeper::Running BudgetKeeper::make_running(const shared::Payer &payer) {
  Running running{.ticket = {}, .payer = payer, .tiers = {}};
  for (const shared::TierBudget &budget : payer.of_tiers)
    if (payer.user && budget.tier == payer.tier) running.tiers.push_back(budget);
  running.payer.of_tiers = {};
  return running;
}

// A threshold counts as raised from here on, also where the running transaction fails: it is told of all the same.
void BudgetKeeper::raise_alerts(const shared::Payer &payer, const shared::Decision *refusal) {
  while (alerts_.size() < kAlertsMax) {
    const std::optional<shared::Alert> alert = shared::take_alert(key_, payer, refusal);
    if (!alert) return;
    alerts_.push_back(*alert);
  }
}

void BudgetKeeper::on_commit(std::span<const Settlement> settlements, std::span<const SettleFate> fates) {
  shared::keep_holds();
  for (auto &[id, running] : begun_) running_.insert_or_assign(id, std::move(running));
  begun_.clear();
  for (std::size_t i = 0; i < fates.size(); ++i) {
    if (fates[i] == SettleFate::kept) continue;
    const Settlement &settlement = settlements[i];
    const auto it = running_.find({.job = settlement.id, .started_at = settlement.started_at});
    if (it == running_.end()) continue;
    shared::settle_hold(it->second.ticket, cost_of(settlement, it->second.ticket.hold),
                        settlement.ended_at - settlement.started_at);
    it->second.payer.of_tiers = it->second.tiers;
    raise_alerts(it->second.payer, nullptr);
    running_.erase(it);
  }
}

void BudgetKeeper::on_abort() {
  shared::drop_holds();
  begun_.clear();
}

const std::vector<shared::Alert> &BudgetKeeper::alerts() {
  while (alerts_.size() < kAlertsMax) {
    const std::optional<shared::Alert> alert = shared::take_reported_alert(key_);
    if (!alert) break;
    alerts_.push_back(*alert);
  }
  return alerts_;
}

}  // namespace agent_queue::pg
