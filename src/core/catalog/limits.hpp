// Which limits hold for whom, out of the configuration. Pure. Tested in test/unit/allowance_test.cpp.
#pragma once

#include <optional>
#include <string_view>

#include "core/catalog/catalog.hpp"
#include "core/limit/allowance.hpp"

namespace agent_queue {

// The tier of a user without a row in agent_users.
inline constexpr std::string_view kTierDefault = "free";

// `rules`: the user's row, or nullptr.
std::string_view tier_name_of(const UserRules *rules);

// Empty: the tier does not exist.
std::optional<Allowance> allowance_of(const Catalog &catalog, const UserRules *rules);

// How often one user of the tier may ask the endpoint: its row, else the tier's row "*", else 10 a minute.
// Empty: as often as it likes (the tier is unlimited).
std::optional<RateLimit> rate_limit_of(const Catalog &catalog, std::string_view tier, std::string_view endpoint);

}  // namespace agent_queue
