#include "core/limit/account.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "unit/accounts.hpp"

namespace agent_queue {
namespace {

using std::chrono::hours;
using Kind = BudgetVerdict::Kind;

BudgetVerdict judge_one(Account &account, const CostLimits &limits, std::optional<Usd> hold,
                        std::optional<int> concurrency = std::nullopt) {
  const ChargedAccount charge{.account = &account, .limits = limits, .concurrency = concurrency};
  return judge({&charge, 1}, hold);
}

Kind judged(Account account, const CostLimits &limits, std::optional<Usd> hold,
            std::optional<int> concurrency = std::nullopt) {
  return judge_one(account, limits, hold, concurrency).kind;
}

Kind judged_at_enqueue(Account account, const CostLimits &limits, std::optional<Usd> hold) {
  const ChargedAccount charge{.account = &account, .limits = limits, .concurrency = 1};
  return judge_at_enqueue({&charge, 1}, hold).kind;
}

// --- follow -------------------------------------------------------------------------------------------------------

TEST(Windows, StayWhileTheDayLastsAndGoOnWithTheNext) {
  EXPECT_EQ(follow(day_of_january(10), day_of_january(10)), day_of_january(10));
  EXPECT_EQ(follow(day_of_january(10), day_of_january(11)), day_of_january(11));
  EXPECT_EQ(follow(day_of_january(10), day_of_january(20)), day_of_january(20));
  EXPECT_EQ(follow(day_of_january(31), day_of_february(1)), day_of_february(1));
  EXPECT_EQ(follow(day_of_january(31), day_of_february(9)), day_of_february(9));
}

TEST(Windows, DoNotGoBackWithTheClock) {
  EXPECT_EQ(follow(day_of_january(10), day_of_january(9)), day_of_january(10));
  EXPECT_EQ(follow(day_of_february(1), day_of_january(31)), day_of_february(1));
}

// The month of the new zone starts later than the old one's: that is no new month.
TEST(Windows, OfAZoneInTheWestBeginNoSecondMonth) {
  const Windows next = follow(day_of_january(10), moved(day_of_january(11), hours(-5)));
  EXPECT_EQ(next.month_start, kJanuary);
  EXPECT_EQ(next.month_end, kFebruary + hours(5));
  EXPECT_EQ(next.day_start, kJanuary + std::chrono::days(10) + hours(5));
  const Windows february = follow(moved(day_of_january(31), hours(-5)), moved(day_of_february(1), hours(-5)));
  EXPECT_EQ(february.month_start, kFebruary + hours(5));
}

// Its day began before the running one is over, and ends later: nothing may be parked until a time that has passed.
TEST(Windows, OfAZoneInTheEastProlongTheDay) {
  const Windows east = moved(day_of_january(11), hours(9));
  const Windows longer = follow(day_of_january(10), east);
  EXPECT_EQ(longer.day_start, day_of_january(10).day_start);
  EXPECT_EQ(longer.day_end, east.day_end);
  EXPECT_EQ(follow(longer, moved(day_of_january(12), hours(9))).day_start, east.day_end);
}

TEST(Windows, OfAZoneInTheEastDoNotDoubleTheMonth) {
  const Windows longer = follow(day_of_january(31), moved(day_of_february(1), hours(9)));
  EXPECT_EQ(longer.month_start, kJanuary);
  const Windows next = follow(longer, moved(day_of_february(2), hours(9)));
  EXPECT_EQ(next.month_start, longer.day_end) << "what the prolonged day has spent is in January's tally";
  EXPECT_EQ(next.month_end, kMarch - hours(9));
  EXPECT_EQ(follow(next, moved(day_of_february(3), hours(9))).month_start, next.month_start);
}

// --- roll ---------------------------------------------------------------------------------------------------------

TEST(Roll, ForgetsTheDayAndKeepsTheMonth) {
  Account account = used("0.5", "0.25");
  account.requests = 7;
  account.day.is_alerted_80 = account.month.is_alerted_80 = true;
  roll(account, day_of_january(11));
  EXPECT_EQ(account.day.start, day_of_january(11).day_start);
  EXPECT_EQ(account.day.spent, Usd());
  EXPECT_EQ(account.day.held, Usd());
  EXPECT_FALSE(account.day.is_alerted_80);
  EXPECT_EQ(account.requests, 0);
  EXPECT_EQ(account.month.spent, usd("0.5"));
  EXPECT_EQ(account.month.held, usd("0.25"));
  EXPECT_TRUE(account.month.is_alerted_80);
  EXPECT_EQ(account.in_flight, 1) << "what runs goes on";
}

TEST(Roll, ForgetsBothWithTheMonth) {
  Account account = used("0.5", "0.25");
  roll(account, day_of_february(1));
  EXPECT_EQ(account.day.spent + account.day.held, Usd());
  EXPECT_EQ(account.month.spent + account.month.held, Usd());
  EXPECT_EQ(account.month.start, kFebruary);
}

TEST(Roll, ForgetsTheMonthAloneWhereOnlyItIsNew) {
  Account account = used("0.5", "0");
  Windows windows = day_of_january(10);
  windows.month_start += hours(1);
  account.requests = 3;
  roll(account, windows);
  EXPECT_EQ(account.month.spent, Usd());
  EXPECT_EQ(account.day.spent, usd("0.5"));
  EXPECT_EQ(account.requests, 3);
}

TEST(Roll, DoesNothingTwiceAndNothingForAClockThatIsSetBack) {
  Account account = used("0.5", "0.25");
  account.requests = 7;
  for (const Windows &windows : {day_of_january(10), day_of_january(9)}) {
    roll(account, windows);
    EXPECT_EQ(account.day.start, day_of_january(10).day_start);
    EXPECT_EQ(account.day.spent, usd("0.5"));
    EXPECT_EQ(account.month.held, usd("0.25"));
    EXPECT_EQ(account.requests, 7);
  }
}

// --- judge --------------------------------------------------------------------------------------------------------

TEST(Judge, AllowsAnythingWhereNothingIsBounded) {
  EXPECT_EQ(judge({}, std::nullopt).kind, Kind::fits);
  EXPECT_EQ(judged(used("100", "100"), CostLimits{}, usd("1000000")), Kind::fits);
  EXPECT_EQ(judged(used("100", "100"), CostLimits{}, std::nullopt), Kind::fits);
}

TEST(Judge, AllowsExactlyTheLimit) {
  EXPECT_EQ(judged(used("0.6", "0"), a_day("1"), usd("0.4")), Kind::fits);
  EXPECT_EQ(judged(used("0.6", "0"), a_day("1"), usd("0.400000000000001")), Kind::used_up);
  EXPECT_EQ(judged(used("0.4", "0.2"), a_day("1"), usd("0.4")), Kind::fits);
  EXPECT_EQ(judged(used("0.4", "0.2"), a_day("1"), usd("0.400000000000001")), Kind::held);
  EXPECT_EQ(judged(used("0.6", "0"), a_month("1"), usd("0.4")), Kind::fits);
  EXPECT_EQ(judged(used("0.6", "0"), a_month("1"), usd("0.400000000000001")), Kind::used_up);
  EXPECT_EQ(judged(used("1", "0"), a_day("1"), usd("0")), Kind::fits) << "what is free";
  EXPECT_EQ(judged(used("0", "0"), a_day("0"), usd("0.000000000000001")), Kind::used_up);
}

TEST(Judge, SaysWhoseBudgetAndWhichPeriod) {
  Account all = used("0.5", "0");
  Account user = used("0.5", "0");
  const ChargedAccount charges[] = {{.account = &all, .limits = a_day("1")},
                                    {.account = &user, .limits = a_month("0.6")}};
  const BudgetVerdict verdict = judge(charges, usd("0.2"));
  EXPECT_EQ(verdict.kind, Kind::used_up);
  EXPECT_EQ(verdict.charge, 1u);
  EXPECT_EQ(verdict.period, Period::month);
}

TEST(Judge, ParksUntilTheWindowEnds) {
  EXPECT_EQ(judged(used("0.9", "0"), a_day("1", OnLimit::park), usd("0.2")), Kind::parked);
  EXPECT_EQ(judged(used("0.5", "0.4"), a_day("1", OnLimit::park), usd("0.2")), Kind::held);
  EXPECT_EQ(judged(used("0.9", "0"), a_day("1", OnLimit::park), usd("1")), Kind::parked);
}

// It would be parked in every window, and its expiry moves along: for ever.
TEST(Judge, RefusesWhatIsDearerThanTheWholeLimit) {
  for (const OnLimit on_limit : {OnLimit::refuse, OnLimit::park}) {
    EXPECT_EQ(judged(used("0", "0"), a_day("1", on_limit), usd("1.1")), Kind::used_up);
    EXPECT_EQ(judged(used("0", "0"), a_month("1", on_limit), usd("1.1")), Kind::used_up);
    EXPECT_EQ(judged_at_enqueue(used("0", "0"), a_day("1", on_limit), usd("1.1")), Kind::used_up);
  }
  EXPECT_EQ(judged(used("0", "0"), a_day("0", OnLimit::park), usd("0.1")), Kind::used_up);
}

// The day's end would bring nothing.
TEST(Judge, ParksUntilTheMonthEndsWhereThatIsUsedUpToo) {
  Account all = used("0.9", "0");
  Account user = used("0.9", "0");
  const CostLimits both{.daily = usd("1"), .monthly = usd("1"), .on_limit = OnLimit::park};
  EXPECT_EQ(judge_one(user, both, usd("0.2")).period, Period::month);
  const ChargedAccount charges[] = {{.account = &all, .limits = a_month("1", OnLimit::park)},
                                    {.account = &user, .limits = a_day("1", OnLimit::park)}};
  const BudgetVerdict verdict = judge(charges, usd("0.2"));
  EXPECT_EQ(verdict.kind, Kind::parked);
  EXPECT_EQ(verdict.charge, 0u);
  EXPECT_EQ(verdict.period, Period::month);
}

TEST(Judge, RefusesWhatHasNoPriceUnderAHardBudgetOnly) {
  EXPECT_EQ(judged(used("0", "0"), a_day("1"), std::nullopt), Kind::unpriced);
  EXPECT_EQ(judged(used("0", "0"), a_month("1", OnLimit::park), std::nullopt), Kind::unpriced);
  EXPECT_EQ(judged(used("0", "0"), a_day("1", OnLimit::alert), std::nullopt), Kind::fits);
  EXPECT_EQ(judged(used("0", "0"), a_day("1", OnLimit::throttle), std::nullopt), Kind::fits);
}

TEST(Judge, ThrottlesToOneAtATime) {
  const CostLimits limits = a_day("1", OnLimit::throttle);
  EXPECT_EQ(judged(used("0.9", "0.5"), limits, usd("0.1")), Kind::fits) << "it is not used up; holds do not count";
  EXPECT_EQ(judged(used("0.9", "0.5"), limits, usd("0.2")), Kind::concurrency);
  EXPECT_EQ(judged(used("0.9", "0"), limits, usd("0.2")), Kind::fits);
  EXPECT_EQ(judged(used("2", "0"), limits, std::nullopt), Kind::fits);
  EXPECT_EQ(judged(used("2", "0.5"), limits, std::nullopt), Kind::concurrency);
}

TEST(Judge, GoesOnWhereItOnlyAlerts) {
  EXPECT_EQ(judged(used("2", "2"), a_day("1", OnLimit::alert), usd("2")), Kind::fits);
}

TEST(Judge, CountsTheUsersAttempts) {
  Account account = used("0", "0");
  account.in_flight = 2;
  EXPECT_EQ(judged(account, CostLimits{}, usd("1"), 3), Kind::fits);
  EXPECT_EQ(judged(account, CostLimits{}, usd("1"), 2), Kind::concurrency);
  EXPECT_EQ(judged(account, CostLimits{}, std::nullopt, 1), Kind::concurrency);
}

// In any order of the accounts.
TEST(Judge, LetsTheStrictestWin) {
  Account full = used("1", "0");
  Account holding = used("0.5", "0.5");
  Account busy = used("0", "0");
  busy.in_flight = 1;
  std::vector<ChargedAccount> charges;
  const auto expect = [&](Kind kind, const ChargedAccount &added) {
    charges.push_back(added);
    EXPECT_EQ(judge(charges, usd("0.1")).kind, kind);
    EXPECT_EQ(judge(charges, usd("0.1")).charge, charges.size() - 1);
    const std::vector<ChargedAccount> reversed(charges.rbegin(), charges.rend());
    EXPECT_EQ(judge(reversed, usd("0.1")).kind, kind);
    EXPECT_EQ(judge(reversed, usd("0.1")).charge, 0u);
  };
  expect(Kind::concurrency, {.account = &busy, .limits = {}, .concurrency = 1});
  expect(Kind::held, {.account = &holding, .limits = a_day("1")});
  expect(Kind::parked, {.account = &full, .limits = a_day("1", OnLimit::park)});
  expect(Kind::parked, {.account = &full, .limits = a_month("1", OnLimit::park)});
  expect(Kind::used_up, {.account = &full, .limits = a_day("1")});
  EXPECT_EQ(judge(charges, std::nullopt).kind, Kind::unpriced);
}

TEST(JudgeAtEnqueue, RefusesOnlyWhatCannotBeAfforded) {
  EXPECT_EQ(judged_at_enqueue(used("0.9", "0"), a_day("1"), usd("0.1")), Kind::fits);
  EXPECT_EQ(judged_at_enqueue(used("0.9", "0"), a_day("1"), usd("0.2")), Kind::used_up);
  EXPECT_EQ(judged_at_enqueue(used("0.9", "0"), a_month("1"), usd("0.2")), Kind::used_up);
  EXPECT_EQ(judged_at_enqueue(used("0", "0"), a_day("1"), std::nullopt), Kind::unpriced);
  EXPECT_EQ(judged_at_enqueue(used("0.5", "0.5"), a_day("1"), usd("0.2")), Kind::fits) << "a hold may come free";
  EXPECT_EQ(judged_at_enqueue(used("0.9", "0"), a_day("1", OnLimit::park), usd("0.2")), Kind::fits);
  EXPECT_EQ(judged_at_enqueue(used("0.9", "0.5"), a_day("1", OnLimit::throttle), usd("0.2")), Kind::fits);
  EXPECT_EQ(judged_at_enqueue(used("9", "9"), a_day("1", OnLimit::alert), usd("0.2")), Kind::fits);
}

TEST(JudgeAtEnqueue, SaysWhoseBudget) {
  Account all = used("0", "0");
  Account user = used("0.9", "0");
  const ChargedAccount charges[] = {{.account = &all, .limits = a_day("1")},
                                    {.account = &user, .limits = a_month("1")}};
  const BudgetVerdict verdict = judge_at_enqueue(charges, usd("0.2"));
  EXPECT_EQ(verdict.kind, Kind::used_up);
  EXPECT_EQ(verdict.charge, 1u);
  EXPECT_EQ(verdict.period, Period::month);
}

}  // namespace
}  // namespace agent_queue
