#include "pg/store/config_cache.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/store/catalog_loader.hpp"
#include "pg/store/catalog_sql.hpp"
#include "pg/wrap/identity.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/search_path.hpp"
#include "pg/wrap/snapshot.hpp"
#include "pg/wrap/spi.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr int kConfigTableCount = lengthof(sql::kConfigTables);

Oid watched_tables[kConfigTableCount] = {};
bool is_callback_registered = false;
bool is_current = false;
unsigned long generation = 0;

void on_relcache_change(Datum, Oid relation) {
  bool is_ours = relation == InvalidOid;
  for (const Oid table : watched_tables) is_ours = is_ours || relation == table;
  if (!is_ours) return;
  is_current = false;
  ++generation;
}

void find_config_tables(Oid schema) {
  for (int i = 0; i < kConfigTableCount; ++i) watched_tables[i] = get_relname_relid(sql::kConfigTables[i], schema);
}

}  // namespace

std::shared_ptr<const Catalog> current_catalog() {
  static auto *kept = new std::shared_ptr<const Catalog>;  // never destroyed: no order at exit to care for
  if (is_current && *kept != nullptr) return *kept;
  if (!is_callback_registered) {
    guard([] { CacheRegisterRelcacheCallback(on_relcache_change, 0); });
    is_callback_registered = true;
  }
  const Installation &where = installation();
  const Oid schema = where.schema;
  guard([&] { find_config_tables(schema); });

  is_current = true;  // first: an invalidation while loading counts
  try {
    ActAs owner(where.owner);
    LockedSearchPath path;  // else the caller's operators would be called with the owner's rights
    LatestSnapshot snapshot;
    SpiScope spi;
    *kept = load_catalog(where);
    snapshot.pop();
  } catch (...) {
    is_current = false;
    throw;
  }
  return *kept;
}

unsigned long catalog_generation() {
  return generation;
}

void invalidate_catalog(unsigned int table_oid) {
  guard([&] { CacheInvalidateRelcacheByRelid(table_oid); });
}

}  // namespace agent_queue::pg
