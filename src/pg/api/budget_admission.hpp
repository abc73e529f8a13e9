// Admission: may the job be afforded, and may its user enqueue one more today? Only looks where money is concerned:
// what is spent is decided by the claim. Regime: guarded C++. Tested in sql/budgets.sql.
#pragma once

#include <cstddef>
#include <optional>

#include "core/base/ids.hpp"
#include "core/catalog/catalog.hpp"
#include "pg/shared/ledger.hpp"
#include "pg/store/payers.hpp"

namespace agent_queue::pg {

// Who answers for a job of this type. Raises 42704 when the user's tier does not exist.
shared::Payer find_payer(const Payers &payers, const AgentType &type, const std::optional<UserId> &user);

// Raises PT402 when the job cannot be afforded, PT429 when the user has no request left today, PT503 while what was
// spent so far is not known yet. The request that is counted comes back when the transaction, or its savepoint, is
// rolled back.
void admit_spending(const shared::Payer &payer, const Catalog &catalog, const AgentType &type,
                    std::size_t request_bytes);

// The same for a job that has its answer already: it costs nothing, and is one request of the day.
void admit_answered(const shared::Payer &payer);

}  // namespace agent_queue::pg
