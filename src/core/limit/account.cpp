#include "core/limit/account.hpp"

#include <algorithm>
#include <type_traits>

namespace agent_queue {

namespace {

static_assert(std::is_trivially_copyable_v<Account>, "it lies in shared memory");

constexpr Period kPeriods[] = {Period::day, Period::month};

// A turn comes no sooner and no later than this after the one before.
constexpr Micros kTurnMin{std::chrono::milliseconds(5)};
constexpr Micros kTurnMax{std::chrono::seconds(10)};
// Nor do turns run further ahead: one slow call must not put off a backlog for hours.
constexpr Micros kTurnsAhead{std::chrono::seconds(30)};
constexpr std::int64_t kAverageOver = 8;  // attempts

void roll_tally(Tally &tally, WallTime start) {
  if (tally.start >= start) return;
  tally = {};
  tally.start = start;
}

std::optional<Usd> limit_of(const CostLimits &limits, Period period) {
  return period == Period::day ? limits.daily : limits.monthly;
}

// The more it holds the job back, the higher.
int rank(BudgetVerdict::Kind kind, Period period) {
  switch (kind) {
    case BudgetVerdict::Kind::fits:
      return 0;
    case BudgetVerdict::Kind::concurrency:
      return 1;
    case BudgetVerdict::Kind::held:
      return 2;
    case BudgetVerdict::Kind::parked:
      return period == Period::day ? 3 : 4;
    case BudgetVerdict::Kind::used_up:
      return 5;
    case BudgetVerdict::Kind::unpriced:
      return 6;
  }
  return 6;
}

BudgetVerdict::Kind judge_period(const ChargedAccount &charge, Period period, std::optional<Usd> wanted) {
  const std::optional<Usd> limit = limit_of(charge.limits, period);
  if (!limit) return BudgetVerdict::Kind::fits;
  if (!wanted && is_hard(charge.limits.on_limit)) return BudgetVerdict::Kind::unpriced;
  const Usd hold = wanted.value_or(Usd());
  const Tally &tally = charge.account->tally(period);
  if (tally.spent + hold > *limit) {
    switch (charge.limits.on_limit) {
      case OnLimit::refuse:
        return BudgetVerdict::Kind::used_up;
      case OnLimit::park:
        // No window is large enough for it: it would wait for ever.
        return hold > *limit ? BudgetVerdict::Kind::used_up : BudgetVerdict::Kind::parked;
      case OnLimit::throttle:
        return charge.account->in_flight > 0 ? BudgetVerdict::Kind::concurrency : BudgetVerdict::Kind::fits;
      case OnLimit::alert:
        return BudgetVerdict::Kind::fits;
    }
  }
  const bool is_held = is_hard(charge.limits.on_limit) && tally.spent + tally.held + hold > *limit;
  return is_held ? BudgetVerdict::Kind::held : BudgetVerdict::Kind::fits;
}

// Of the windows in which the attempt was begun only: others have forgotten it already.
template <typename Change>
void change_held(std::span<Account *const> accounts, const Hold &hold, Change change) {
  for (Account *account : accounts) {
    if (account->day.start == hold.day_start) change(account->day);
    if (account->month.start == hold.month_start) change(account->month);
  }
}

void end_attempt(std::span<Account *const> accounts, const Hold &hold) {
  change_held(accounts, hold, [&](Tally &tally) { tally.held = std::max(Usd(), tally.held - hold.amount); });
  for (Account *account : accounts) account->in_flight = std::max(0, account->in_flight - 1);
}

}  // namespace

const char *period_name(Period period) {
  return period == Period::day ? "day" : "month";
}

Windows follow(const Windows &kept, const Windows &current) {
  Windows next = kept;
  if (current.day_start < kept.day_end) {
    // Of another time zone: it covers what the running day does not.
    next.day_end = std::max(kept.day_end, current.day_end);
    return next;
  }
  next.day_start = current.day_start;
  next.day_end = current.day_end;
  next.month_end = current.month_end;
  // Where the last day of the month was prolonged, what it spent of the new month belongs to the old one.
  if (current.day_start >= kept.month_end)
    next.month_start = current.month_start >= kept.month_end ? current.month_start : current.day_start;
  return next;
}

void roll(Account &account, const Windows &windows) {
  if (account.day.start < windows.day_start) account.requests = 0;
  roll_tally(account.day, windows.day_start);
  roll_tally(account.month, windows.month_start);
}

BudgetVerdict judge(std::span<const ChargedAccount> charges, std::optional<Usd> hold) {
  BudgetVerdict strictest;
  const auto note = [&](BudgetVerdict::Kind kind, std::size_t charge, Period period) {
    if (rank(kind, period) <= rank(strictest.kind, strictest.period)) return;
    strictest = {.kind = kind, .charge = charge, .period = period};
  };
  for (std::size_t i = 0; i < charges.size(); ++i) {
    for (const Period period : kPeriods) note(judge_period(charges[i], period, hold), i, period);
    const std::optional<int> concurrency = charges[i].concurrency;
    if (concurrency && charges[i].account->in_flight >= *concurrency)
      note(BudgetVerdict::Kind::concurrency, i, Period::day);
  }
  return strictest;
}

BudgetVerdict judge_at_enqueue(std::span<const ChargedAccount> charges, std::optional<Usd> hold) {
  for (std::size_t i = 0; i < charges.size(); ++i)
    for (const Period period : kPeriods) {
      const BudgetVerdict::Kind kind = judge_period(charges[i], period, hold);
      if (kind == BudgetVerdict::Kind::used_up || kind == BudgetVerdict::Kind::unpriced)
        return {.kind = kind, .charge = i, .period = period};
    }
  return {};
}

Hold make_hold(Usd amount, const Windows &windows, WallTime started_at) {
  return {.amount = amount,
          .day_start = started_at >= windows.day_start ? windows.day_start : WallTime{},
          .month_start = started_at >= windows.month_start ? windows.month_start : WallTime{}};
}

void take(std::span<Account *const> accounts, const Hold &hold) {
  for (Account *account : accounts) ++account->in_flight;
  change_held(accounts, hold, [&](Tally &tally) { tally.held += hold.amount; });
}

void give_back(std::span<Account *const> accounts, const Hold &hold) {
  end_attempt(accounts, hold);
}

void settle(std::span<Account *const> accounts, const Hold &hold, Usd cost, Micros took) {
  end_attempt(accounts, hold);
  change_held(accounts, hold, [&](Tally &tally) { tally.spent += cost; });
  for (Account *account : accounts) {
    const std::int64_t took_us = std::max<std::int64_t>(0, took.count());
    account->call_us = account->call_us == 0 ? took_us : account->call_us + (took_us - account->call_us) / kAverageOver;
    // A turn is free: who waits need not wait for the one that was given last.
    if (account->in_flight == 0) account->next_turn = {};
  }
}

SteadyTime take_turn(Account &account, SteadyTime now) {
  const Micros call{account.call_us};
  const Micros apart = std::clamp(call / std::max(1, account.in_flight), kTurnMin, kTurnMax);
  account.next_turn = std::min(std::max(account.next_turn, now) + apart, now + kTurnsAhead);
  return account.next_turn;
}

std::optional<Threshold> take_alert(Account &account, const CostLimits &limits, std::optional<Period> refused) {
  for (const Period period : kPeriods) {
    const std::optional<Usd> limit = limit_of(limits, period);
    if (!limit) continue;
    Tally &tally = account.tally(period);
    const bool is_used_up = tally.spent >= *limit || refused == period;
    if (is_used_up && !tally.is_alerted_100) {
      tally.is_alerted_80 = tally.is_alerted_100 = true;
      return Threshold{.period = period, .percent = 100};
    }
    const bool is_near = tally.spent.femto() >= limit->femto() / 5 * 4 && tally.spent > Usd();
    if (is_near && !tally.is_alerted_80) {
      tally.is_alerted_80 = true;
      return Threshold{.period = period, .percent = 80};
    }
  }
  return std::nullopt;
}

}  // namespace agent_queue
