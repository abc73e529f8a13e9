// Reads the configuration tables into one Catalog. Regime: guarded C++. SPI must be connected.
#pragma once

#include <memory>

#include "core/catalog/catalog.hpp"
#include "pg/wrap/installation.hpp"

namespace agent_queue::pg {

// As the current user, under the active snapshot.
std::shared_ptr<const Catalog> load_catalog(const Installation &where);

}  // namespace agent_queue::pg
