// The databases of the cluster, read from pg_database. Regime: guarded C++; in a transaction of its own.
#pragma once

#include <vector>

#include "pg/shared/databases.hpp"

namespace agent_queue::pg {

struct DatabaseRow {
  shared::DatabaseOid oid = 0;
  bool is_servable = false;  // connectable, no template, not half dropped
};

std::vector<DatabaseRow> read_databases();

}  // namespace agent_queue::pg
