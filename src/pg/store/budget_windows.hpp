// The running day and month of the budgets, in agent_queue.budget_time_zone. Regime: guarded C++.
// Tested in test/tap/310_budgets.pl.
#pragma once

#include "core/base/time.hpp"
#include "core/limit/account.hpp"
#include "pg/shared/ledger.hpp"

namespace agent_queue::pg {

// As the clock and the setting say.
Windows windows_at(WallTime now);

// Lets the ledger's windows follow the clock, and returns them. Cheap while the day lasts.
Windows roll_windows(shared::LedgerKey key, WallTime now);

}  // namespace agent_queue::pg
