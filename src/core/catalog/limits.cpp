#include "core/catalog/limits.hpp"

namespace agent_queue {

std::string_view tier_name_of(const UserRules *rules) {
  return rules == nullptr ? kTierDefault : std::string_view(rules->tier);
}

std::optional<Allowance> allowance_of(const Catalog &catalog, const UserRules *rules) {
  const Tier *tier = find_name(catalog.tiers, tier_name_of(rules));
  if (tier == nullptr) return std::nullopt;
  return rules == nullptr ? tier->allowance : with_overrides(tier->allowance, *rules);
}

std::optional<RateLimit> rate_limit_of(const Catalog &catalog, std::string_view tier, std::string_view endpoint) {
  const Tier *found = find_name(catalog.tiers, tier);
  if (found == nullptr) return RateLimit{};
  if (found->allowance.is_unlimited) return std::nullopt;
  if (const RateLimit *limit = find_name(found->limits, endpoint)) return *limit;
  if (const RateLimit *limit = find_name(found->limits, "*")) return *limit;
  return RateLimit{};
}

}  // namespace agent_queue
