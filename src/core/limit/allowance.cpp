#include "core/limit/allowance.hpp"

namespace agent_queue {

OnLimit on_limit_of(std::string_view name) {
  if (name == "park") return OnLimit::park;
  if (name == "throttle") return OnLimit::throttle;
  if (name == "alert") return OnLimit::alert;
  return OnLimit::refuse;
}

Allowance with_overrides(const Allowance &tier, const UserRules &rules) {
  Allowance made = tier;
  if (rules.daily_requests) made.daily_requests = rules.daily_requests;
  if (rules.daily_cost) made.cost.daily = rules.daily_cost;
  if (rules.monthly_cost) made.cost.monthly = rules.monthly_cost;
  if (rules.on_limit) made.cost.on_limit = *rules.on_limit;
  if (rules.concurrency) made.concurrency = rules.concurrency;
  if (rules.weight) made.weight = *rules.weight;
  return made;
}

}  // namespace agent_queue
