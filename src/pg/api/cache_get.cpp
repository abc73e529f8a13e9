// cache_get(): a value of cache_set(). Regime: guarded C++. Tested in sql/cache_values.sql.
#include "pg/api/cache_entry.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/cache_rows.hpp"

#include "pg/pg.hpp"

AQ_SQL_FUNCTION(aq_cache_get) {
  using namespace agent_queue::pg;
  constexpr int kUser = 2;
  const CacheEntry entry = entry_argument(fcinfo, kUser);
  // The statement's own snapshot: the values that fit the data which the statement sees.
  const std::optional<Datum> value = find_cached_value(entry.key, guard([] { return GetActiveSnapshot(); }));
  fcinfo->isnull = !value;
  return value.value_or(0);
}
