// The rows of agent_users as this process knows them: read when they are first asked for, forgotten when the table
// changes (its statement trigger sends a relcache invalidation at commit). Regime: guarded C++, in a transaction.
// Tested in sql/tiers.sql.
#pragma once

#include <optional>
#include <span>

#include "core/base/ids.hpp"
#include "core/limit/allowance.hpp"

namespace agent_queue::pg {

// Reads, as the extension's owner under the latest snapshot, the rows of those that are not known yet: one statement
// for all. Throws PgError.
void read_users(std::span<const UserId> users);

// nullptr: the user has no row. Reads it where need be. Valid until one of these functions is called again.
const UserRules *find_user(const UserId &user);

}  // namespace agent_queue::pg
