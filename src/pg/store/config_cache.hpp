// The configuration as this process knows it: loaded once, dropped when a configuration table changes (their statement
// triggers send a relcache invalidation at commit). Regime: guarded C++.
#pragma once

#include <memory>

#include "core/catalog/catalog.hpp"

namespace agent_queue::pg {

// The current snapshot, loaded as the extension's owner under the latest snapshot (also in a REPEATABLE READ
// transaction). In a transaction; throws PgError. Cheap when nothing has changed.
std::shared_ptr<const Catalog> current_catalog();

// Counts up with each invalidation: whoever keeps something made from a catalog compares it.
unsigned long catalog_generation();

// For the statement trigger of the configuration tables: tells every backend at commit, this one at the next command.
void invalidate_catalog(unsigned int table_oid);

}  // namespace agent_queue::pg
