#include "pg/wrap/search_path.hpp"

#include <exception>

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

// POD only.
static int lock_search_path() {
  const int level = NewGUCNestLevel();
  set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  return level;
}

LockedSearchPath::LockedSearchPath() : uncaught_(std::uncaught_exceptions()), guc_level_(guard(lock_search_path)) {}

LockedSearchPath::~LockedSearchPath() {
  if (std::uncaught_exceptions() != uncaught_) return;
  const int level = guc_level_;
  guard_noexcept("restore search_path", [&] { AtEOXact_GUC(true, level); });
}

}  // namespace agent_queue::pg
