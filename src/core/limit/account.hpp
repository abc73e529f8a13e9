// What one subject of budgets (a user, a tier, an agent type, or all) has used of the running day and month, and what
// may still be used. Plain data that may lie in shared memory, and pure decisions. Whoever keeps accounts guards them;
// pg/shared/ledger does for the workers. Tested in test/unit/account_test.cpp, test/unit/account_hold_test.cpp and
// test/sim/budget_sim_test.cpp.
//
//   spent  what was billed to attempts that were started in the window
//   held   the most that running attempts of the window may cost: what each may cost at worst is held before it begins,
//          and turned into what it did cost when it has been settled
//
// A hard budget (OnLimit refuse or park) keeps spent + held ≤ limit.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/base/time.hpp"
#include "core/base/usd.hpp"
#include "core/limit/allowance.hpp"

namespace agent_queue {

enum class Period { day, month };
const char *period_name(Period period);

// The running day and month, as the budgets' time zone has them. Ends are exclusive.
struct Windows {
  WallTime day_start;
  WallTime day_end;
  WallTime month_start;
  WallTime month_end;

  WallTime start(Period period) const { return period == Period::day ? day_start : month_start; }
  WallTime end(Period period) const { return period == Period::day ? day_end : month_end; }
  bool operator==(const Windows &) const = default;
};

// Of one window.
struct Tally {
  WallTime start;
  Usd spent;
  Usd held;
  bool is_alerted_80 = false;   // the alert of the window was raised
  bool is_alerted_100 = false;  // … also when less than the next job needs was left
};

struct Account {
  Tally day;
  Tally month;
  std::int32_t requests = 0;   // of a user: jobs enqueued in `day`
  std::int32_t in_flight = 0;  // attempts that hold something, whatever their window
  std::uint64_t tier = 0;      // of a user: the tier whose account shares the running holds; changes at rest only
  std::int64_t call_us = 0;    // how long an attempt takes, on average
  SteadyTime next_turn{};      // when the next one that has to wait for another's end may try again

  Tally &tally(Period period) { return period == Period::day ? day : month; }
  const Tally &tally(Period period) const { return period == Period::day ? day : month; }
};

// The windows that come after `kept`, where the clock and the time zone say `current`: the same while the running day
// lasts. Only forward; no window begins before the one before it is over, so that another time zone gives nobody a
// second budget, and none ends in the past.
Windows follow(const Windows &kept, const Windows &current);

// What was left of windows that have ended is forgotten. Never goes back: a clock that is set back gives nobody a
// second budget.
void roll(Account &account, const Windows &windows);

// An account with the budget that holds for it.
struct ChargedAccount {
  Account *account;
  CostLimits limits;
  std::optional<int> concurrency = {};  // of a user: attempts at a time
};

struct BudgetVerdict {
  enum class Kind {
    fits,
    used_up,      // refuse it: `charge` and `period` say whose budget says so
    parked,       // wait for the end of the window; of a day and a month, for that of the month
    held,         // what is left is held by running attempts: it may fit when one of them has ended
    concurrency,  // the user's, or a throttled budget's one at a time
    unpriced,     // nobody knows what it may cost, and the budget is hard
  } kind = Kind::fits;
  std::size_t charge = 0;
  Period period = Period::day;
};

// May an attempt begin that costs `hold` at most (empty: no price is known)? Looks at all; the strictest wins.
// The accounts must be rolled.
BudgetVerdict judge(std::span<const ChargedAccount> charges, std::optional<Usd> hold);
// fits, used_up or unpriced: can it be afforded, whatever ends first? The others are for the claim to say.
BudgetVerdict judge_at_enqueue(std::span<const ChargedAccount> charges, std::optional<Usd> hold);

// What an attempt holds, to be given back by settle(): the windows in which it was begun.
struct Hold {
  Usd amount;
  WallTime day_start;
  WallTime month_start;
};

// Of an attempt that was begun at `started_at`: windows that were over by then count nothing.
Hold make_hold(Usd amount, const Windows &windows, WallTime started_at);
void take(std::span<Account *const> accounts, const Hold &hold);
// An attempt that was never begun after all.
void give_back(std::span<Account *const> accounts, const Hold &hold);
// An attempt has ended: what it held is free, what it cost is spent. took: how long it was under way.
void settle(std::span<Account *const> accounts, const Hold &hold, Usd cost, Micros took);

// When an attempt that must wait for another's end should try again: one after the other, as those under way end.
SteadyTime take_turn(Account &account, SteadyTime now);

struct Threshold {
  Period period;
  int percent;  // 80 or 100
};
// The next alert that is due and was not raised yet in its window; it counts as raised then. `refused`: a job was
// refused or parked because of this budget.
std::optional<Threshold> take_alert(Account &account, const CostLimits &limits,
                                    std::optional<Period> refused = std::nullopt);

}  // namespace agent_queue
