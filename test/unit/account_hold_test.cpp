#include <gtest/gtest.h>

#include <limits>

#include "unit/accounts.hpp"

namespace agent_queue {
namespace {

using std::chrono::hours;

void take_one(Account &account, const Hold &hold) {
  Account *const accounts[] = {&account};
  take(accounts, hold);
}

void settle_one(Account &account, const Hold &hold, std::string_view cost, Micros took = Micros{0}) {
  Account *const accounts[] = {&account};
  settle(accounts, hold, usd(cost), took);
}

// --- holds --------------------------------------------------------------------------------------------------------

TEST(Hold, IsTakenFromAllAndTurnedIntoCost) {
  const Windows windows = day_of_january(10);
  Account all = rolled(windows);
  Account user = rolled(windows);
  Account *const accounts[] = {&all, &user};
  const Hold hold = make_hold(usd("0.3"), windows, windows.day_start + hours(5));
  take(accounts, hold);
  for (const Account *account : accounts) {
    EXPECT_EQ(account->day.held, usd("0.3"));
    EXPECT_EQ(account->month.held, usd("0.3"));
    EXPECT_EQ(account->in_flight, 1);
  }
  settle(accounts, hold, usd("0.1"), Micros{5});
  for (const Account *account : accounts) {
    EXPECT_EQ(account->day.held, Usd());
    EXPECT_EQ(account->day.spent, usd("0.1"));
    EXPECT_EQ(account->month.held, Usd());
    EXPECT_EQ(account->month.spent, usd("0.1"));
    EXPECT_EQ(account->in_flight, 0);
  }
}

TEST(Hold, IsGivenBackWhole) {
  const Windows windows = day_of_january(10);
  Account account = used("0.5", "0.25");
  const Account before = account;
  const Hold hold = make_hold(usd("0.3"), windows, windows.day_start);
  Account *const accounts[] = {&account};
  take(accounts, hold);
  give_back(accounts, hold);
  EXPECT_EQ(account.day.held, before.day.held);
  EXPECT_EQ(account.month.held, before.month.held);
  EXPECT_EQ(account.day.spent, before.day.spent);
  EXPECT_EQ(account.in_flight, before.in_flight);
}

TEST(Hold, OfAnAttemptOfYesterdayCountsInTheMonthOnly) {
  const Windows today = day_of_january(10);
  const Hold hold = make_hold(usd("0.3"), today, today.day_start - Micros{1});
  Account account = rolled(today);
  take_one(account, hold);
  EXPECT_EQ(account.day.held, Usd());
  EXPECT_EQ(account.month.held, usd("0.3"));
  EXPECT_EQ(account.in_flight, 1);
  settle_one(account, hold, "0.2");
  EXPECT_EQ(account.day.spent, Usd());
  EXPECT_EQ(account.month.spent, usd("0.2"));
  EXPECT_EQ(account.in_flight, 0);
}

TEST(Hold, OfAnAttemptOfTheLastMonthCountsNothing) {
  const Windows today = day_of_february(1);
  const Hold hold = make_hold(usd("0.3"), today, today.day_start - Micros{1});
  Account account = rolled(today);
  take_one(account, hold);
  EXPECT_EQ(account.month.held, Usd());
  EXPECT_EQ(account.in_flight, 1);
  settle_one(account, hold, "0.2");
  EXPECT_EQ(account.month.spent, Usd());
  EXPECT_EQ(account.in_flight, 0);
}

// Settled, the tally that was rolled meanwhile must neither lose another's hold nor be charged.
TEST(Hold, AcrossMidnightBelongsToTheDayItWasTakenIn) {
  Account account = rolled(day_of_january(10));
  const Hold old = make_hold(usd("0.3"), day_of_january(10), day_of_january(10).day_start);
  take_one(account, old);
  roll(account, day_of_january(11));
  take_one(account, make_hold(usd("0.4"), day_of_january(11), day_of_january(11).day_start));
  settle_one(account, old, "0.3");
  EXPECT_EQ(account.day.held, usd("0.4"));
  EXPECT_EQ(account.day.spent, Usd());
  EXPECT_EQ(account.month.held, usd("0.4"));
  EXPECT_EQ(account.month.spent, usd("0.3"));
  EXPECT_EQ(account.in_flight, 1);
}

TEST(Hold, AcrossTheMonthsEndBelongsToTheOldMonth) {
  for (const bool is_begun : {true, false}) {
    Account account = rolled(day_of_january(31));
    Account *const accounts[] = {&account};
    const Hold old = make_hold(usd("0.3"), day_of_january(31), day_of_january(31).day_start);
    take(accounts, old);
    roll(account, day_of_february(1));
    take_one(account, make_hold(usd("0.4"), day_of_february(1), day_of_february(1).day_start));
    if (is_begun)
      settle(accounts, old, usd("0.3"), Micros{0});
    else
      give_back(accounts, old);
    EXPECT_EQ(account.month.held, usd("0.4"));
    EXPECT_EQ(account.month.spent, Usd());
    EXPECT_EQ(account.in_flight, 1);
  }
}

// Nobody has looked at the account since midnight: its tally is still that of the attempt.
TEST(Hold, IsSettledInAnAccountThatIsNotRolledYet) {
  Account account = rolled(day_of_january(10));
  const Hold hold = make_hold(usd("0.3"), day_of_january(10), day_of_january(10).day_start);
  take_one(account, hold);
  settle_one(account, hold, "0.2");
  EXPECT_EQ(account.day.spent, usd("0.2"));
  roll(account, day_of_january(11));
  EXPECT_EQ(account.day.spent, Usd());
  EXPECT_EQ(account.month.spent, usd("0.2"));
}

// A provider that bills more than it was asked for: the truth is kept, and the budget is used up.
TEST(Hold, MayBeExceededByTheCost) {
  const Windows windows = day_of_january(10);
  Account account = rolled(windows);
  const Hold hold = make_hold(usd("0.3"), windows, windows.day_start);
  take_one(account, hold);
  settle_one(account, hold, "1.5");
  EXPECT_EQ(account.day.spent, usd("1.5"));
  EXPECT_EQ(account.day.held, Usd());
  const ChargedAccount charge{.account = &account, .limits = a_day("1")};
  EXPECT_EQ(judge({&charge, 1}, usd("0.000001")).kind, BudgetVerdict::Kind::used_up);
}

TEST(Hold, ThatIsEndedTwiceOwesNobodyAnything) {
  const Windows windows = day_of_january(10);
  Account account = rolled(windows);
  const Hold hold = make_hold(usd("0.3"), windows, windows.day_start);
  settle_one(account, hold, "0.1");
  EXPECT_EQ(account.day.held, Usd());
  EXPECT_EQ(account.month.held, Usd());
  EXPECT_EQ(account.in_flight, 0);
}

TEST(Settle, AveragesHowLongCallsTake) {
  const Windows windows = day_of_january(10);
  Account account = rolled(windows);
  const Hold hold = make_hold(usd("0.1"), windows, windows.day_start);
  settle_one(account, hold, "0", Micros{8000});
  EXPECT_EQ(account.call_us, 8000) << "the first says it alone";
  settle_one(account, hold, "0", Micros{16000});
  EXPECT_EQ(account.call_us, 9000);
  settle_one(account, hold, "0", Micros{-1'000'000});
  EXPECT_EQ(account.call_us, 7875) << "where the clock was set back";
}

// --- take_turn ----------------------------------------------------------------------------------------------------

constexpr SteadyTime kNow{hours(100)};

TEST(TakeTurn, SpacesThemAsTheCallsEnd) {
  Account account;
  account.call_us = 900'000;
  account.in_flight = 3;
  EXPECT_EQ(take_turn(account, kNow), kNow + Micros{300'000});
  EXPECT_EQ(take_turn(account, kNow), kNow + Micros{600'000});
  EXPECT_EQ(take_turn(account, kNow + hours(1)), kNow + hours(1) + Micros{300'000}) << "never in the past";
}

TEST(TakeTurn, IsBounded) {
  Account account;
  EXPECT_EQ(take_turn(account, kNow), kNow + std::chrono::milliseconds(5)) << "nothing is known, nothing is under way";
  account.next_turn = {};
  account.call_us = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(take_turn(account, kNow), kNow + std::chrono::seconds(10));
  account.next_turn = {};
  account.in_flight = 1'000'000;
  account.call_us = 1000;
  EXPECT_EQ(take_turn(account, kNow), kNow + std::chrono::milliseconds(5));
}

TEST(TakeTurn, BeginsAnewWhenTheLastCallHasEnded) {
  const Windows windows = day_of_january(10);
  Account account = rolled(windows);
  const Hold hold = make_hold(usd("0.1"), windows, windows.day_start);
  take_one(account, hold);
  take_one(account, hold);
  account.call_us = 1'000'000;
  for (int i = 0; i < 100; ++i) take_turn(account, kNow);
  settle_one(account, hold, "0", Micros{1'000'000});
  EXPECT_EQ(account.next_turn, kNow + std::chrono::seconds(30)) << "one is still under way; no turn is further ahead";
  settle_one(account, hold, "0", Micros{1'000'000});
  EXPECT_EQ(take_turn(account, kNow), kNow + Micros{1'000'000});
}

// --- take_alert ---------------------------------------------------------------------------------------------------

struct Alerted {
  int percent = 0;  // 0: none
  Period period = Period::day;
  bool operator==(const Alerted &) const = default;
};

Alerted alert_of(Account &account, const CostLimits &limits, std::optional<Period> refused = std::nullopt) {
  const std::optional<Threshold> taken = take_alert(account, limits, refused);
  return taken ? Alerted{.percent = taken->percent, .period = taken->period} : Alerted{};
}

TEST(TakeAlert, ComesAt80AndAt100OnceAWindow) {
  const CostLimits limits = a_day("1");
  Account account = used("0.799999999999999", "0.2");
  EXPECT_EQ(alert_of(account, limits), Alerted{});
  account.day.spent = usd("0.8");
  EXPECT_EQ(alert_of(account, limits), (Alerted{.percent = 80}));
  EXPECT_EQ(alert_of(account, limits), Alerted{});
  account.day.spent = usd("0.999999999999999");
  EXPECT_EQ(alert_of(account, limits), Alerted{});
  account.day.spent = usd("1");
  EXPECT_EQ(alert_of(account, limits), (Alerted{.percent = 100}));
  EXPECT_EQ(alert_of(account, limits), Alerted{});

  roll(account, day_of_january(11));
  EXPECT_EQ(alert_of(account, limits), Alerted{});
  account.day.spent = usd("0.9");
  EXPECT_EQ(alert_of(account, limits), (Alerted{.percent = 80}));
}

TEST(TakeAlert, SkipsThe80WhereThe100CameFirst) {
  Account account = used("3", "0");
  EXPECT_EQ(alert_of(account, a_day("1")), (Alerted{.percent = 100}));
  EXPECT_EQ(alert_of(account, a_day("1")), Alerted{});
}

TEST(TakeAlert, ComesForEachPeriod) {
  Account account = used("0.9", "0");
  const CostLimits limits{.daily = usd("0.9"), .monthly = usd("1"), .on_limit = OnLimit::alert};
  EXPECT_EQ(alert_of(account, limits), (Alerted{.percent = 100}));
  EXPECT_EQ(alert_of(account, limits), (Alerted{.percent = 80, .period = Period::month}));
  EXPECT_EQ(alert_of(account, limits), Alerted{});
  roll(account, day_of_january(11));
  account.day.spent = usd("0.9");
  account.month.spent = usd("1.8");
  EXPECT_EQ(alert_of(account, limits), (Alerted{.percent = 100}));
  EXPECT_EQ(alert_of(account, limits), (Alerted{.percent = 100, .period = Period::month}));
}

TEST(TakeAlert, ComesWhenAJobIsRefused) {
  Account account = used("0.5", "0");
  const CostLimits limits{.daily = usd("1"), .monthly = usd("1"), .on_limit = OnLimit::refuse};
  EXPECT_EQ(alert_of(account, limits, Period::month), (Alerted{.percent = 100, .period = Period::month}));
  EXPECT_EQ(alert_of(account, limits, Period::month), Alerted{});
  EXPECT_EQ(alert_of(account, limits), Alerted{});
  EXPECT_EQ(alert_of(account, CostLimits{}, Period::day), Alerted{}) << "no budget, no alert";
}

TEST(TakeAlert, OfALimitOfNothing) {
  Account account = used("0", "0");
  EXPECT_EQ(alert_of(account, a_day("0")), (Alerted{.percent = 100}));
  EXPECT_EQ(alert_of(account, a_day("0")), Alerted{});
}

TEST(TakeAlert, FollowsALimitThatIsLoweredAndNotOneThatIsRaised) {
  Account account = used("0.5", "0");
  EXPECT_EQ(alert_of(account, a_day("1")), Alerted{});
  EXPECT_EQ(alert_of(account, a_day("0.6")), (Alerted{.percent = 80}));
  EXPECT_EQ(alert_of(account, a_day("0.5")), (Alerted{.percent = 100}));
  EXPECT_EQ(alert_of(account, a_day("10")), Alerted{});
  account.day.spent = usd("10");
  EXPECT_EQ(alert_of(account, a_day("10")), Alerted{}) << "once a window";
}

}  // namespace
}  // namespace agent_queue
