// What a user may use: rates, money, calls at a time. Plain data, from agent_tiers, agent_users, agent_limits and
// agent_budgets. Tested in test/unit/allowance_test.cpp.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.hpp"
#include "core/base/usd.hpp"

namespace agent_queue {

// What happens when a budget is used up. With refuse and park it is hard: nothing is spent beyond it.
enum class OnLimit {
  refuse,    // no more jobs
  park,      // jobs wait for the next window
  throttle,  // jobs go on, one at a time
  alert,     // jobs go on
};

// As on_limit is spelled in SQL; anything else is refuse, the strictest.
OnLimit on_limit_of(std::string_view name);

constexpr bool is_hard(OnLimit on_limit) {
  return on_limit == OnLimit::refuse || on_limit == OnLimit::park;
}

// Never more than max_requests accepted in any span of `window`.
struct RateLimit {
  int max_requests = 10;                    // 0 to 1,000,000
  Micros window{std::chrono::seconds(60)};  // 1 s to 1 h

  bool operator==(const RateLimit &) const = default;
};

// A budget: US dollars a day and a calendar month. Empty: no bound.
struct CostLimits {
  std::optional<Usd> daily;
  std::optional<Usd> monthly;
  OnLimit on_limit = OnLimit::refuse;

  bool is_bounded() const { return daily || monthly; }
};

// Of one user.
struct Allowance {
  std::optional<int> daily_requests;  // jobs enqueued a day; empty: no bound
  CostLimits cost;
  std::optional<int> concurrency;  // jobs called at a time; empty: no bound
  int weight = 100;                // 1 to 10,000: the share where several users have jobs waiting
  bool is_unlimited = false;       // no rate limit and no budget of the tier or the user holds
};

// agent_users, one row: what is set wins over the tier's.
struct UserRules {
  std::string tier;
  std::optional<int> daily_requests;
  std::optional<Usd> daily_cost;
  std::optional<Usd> monthly_cost;
  std::optional<OnLimit> on_limit;
  std::optional<int> concurrency;
  std::optional<int> weight;
};

// The tier's allowance with the user's own rules over it. An unlimited tier stays unlimited, whatever is set.
Allowance with_overrides(const Allowance &tier, const UserRules &rules);

}  // namespace agent_queue
