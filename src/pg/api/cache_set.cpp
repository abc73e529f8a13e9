// cache_set(): stores a value of the application's own. Regime: guarded C++. Tested in sql/cache_values.sql.
#include <string>
#include <vector>

#include "pg/api/cache_entry.hpp"
#include "pg/api/cache_name.hpp"
#include "pg/api/cache_session.hpp"
#include "pg/api/cache_sql.hpp"
#include "pg/api/interval.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/cache_versions.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/identity.hpp"
#include "pg/wrap/schema_plan.hpp"
#include "pg/wrap/search_path.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

enum Argument { kType, kData, kValue, kTtl, kDependencies, kCategory, kUser };

struct SetTerms {
  CacheEntry entry;
  Size value_bytes = 0;
  std::vector<std::string> dependencies;
  std::optional<std::string> category;
};

// What a row takes beside its texts: header, times, the key's entry in the index.
constexpr Size kRowBytes = 200;

Size checked_size(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(kValue))
    raise(sqlstate("22004"), {.message = "value is NULL",
                              .detail = {},
                              .hint = "A JSON null can be kept ('null'); cache_invalidate() drops a value."});
  const Size bytes_max = static_cast<Size>(settings::cache_max_value_kb) * 1024;
  const Size bytes = guard([&] { return toast_raw_datum_size(PG_GETARG_DATUM(kValue)); });
  if (bytes <= bytes_max) return bytes;
  raise(sqlstate("22023"),
        {.message = "value is too large for the cache",
         .detail = "It has " + std::to_string(bytes) + " bytes; agent_queue.cache_max_value_size is " +
                   std::to_string(settings::cache_max_value_kb) + " kB.",
         .hint = "Keep it in a table, or let an administrator raise agent_queue.cache_max_value_size."});
}

void check_ttl(FunctionCallInfo fcinfo) {
  constexpr std::int64_t kMicrosMin = 1000;
  constexpr std::int64_t kMicrosMax = std::int64_t{10} * 12 * 30 * 24 * 60 * 60 * 1'000'000;
  if (PG_ARGISNULL(kTtl)) return;
  const Datum ttl = PG_GETARG_DATUM(kTtl);
  const std::int64_t micros = interval_micros(ttl);
  if (is_finite_interval(ttl) && micros >= kMicrosMin && micros <= kMicrosMax) return;
  raise(sqlstate("22023"), {.message = "ttl is not between 1 ms and 10 years",
                            .detail = {},
                            .hint = "NULL takes the type's, from the table cache_types, or 1 hour."});
}

SetTerms read_terms(FunctionCallInfo fcinfo) {
  SetTerms terms;
  check_ttl(fcinfo);
  terms.dependencies = dependencies_argument(fcinfo, kDependencies);
  if (!PG_ARGISNULL(kCategory)) terms.category = cache_name_argument(fcinfo, kCategory, "category");
  terms.value_bytes = checked_size(fcinfo);
  terms.entry = entry_argument(fcinfo, kUser);
  return terms;
}

// Who computes under a lock is believed to have read the data since it was taken; else since this statement began.
std::vector<DependencyVersion> versions_of(const SetTerms &terms) {
  if (terms.dependencies.empty()) return {};
  SnapshotData *locked_at = snapshot_of_computation(terms.entry.digest);
  return locked_at != nullptr ? read_versions(terms.dependencies, locked_at) : read_versions(terms.dependencies);
}

struct SeenArrays {
  std::vector<std::optional<std::string_view>> names;
  std::vector<std::optional<std::int64_t>> versions;
  Size bytes = 0;
};

SeenArrays arrays_of(const std::vector<DependencyVersion> &seen) {
  SeenArrays arrays;
  for (const DependencyVersion &one : seen) {
    arrays.names.emplace_back(one.dependency);
    arrays.versions.emplace_back(one.version);
    arrays.bytes += one.dependency.size() + sizeof(one.version) + VARHDRSZ;
  }
  return arrays;
}

void set_value(FunctionCallInfo fcinfo) {
  static auto *plan = new SchemaPlan(sql::kSetValue, {TEXTOID, TEXTOID, JSONBOID, UUIDOID, TIMESTAMPTZOID, INTERVALOID,
                                                      INT4OID, TEXTOID, TEXTARRAYOID, INT8ARRAYOID});
  const SetTerms terms = read_terms(fcinfo);
  const std::vector<DependencyVersion> seen = versions_of(terms);
  const SeenArrays arrays = arrays_of(seen);
  const CacheEntry &entry = terms.entry;
  const Size bytes = kRowBytes + terms.value_bytes + 2 * entry.key.size() + entry.type.size() + arrays.bytes;
  const bool has_none = seen.empty();

  Datum values[] = {text_datum(entry.key),
                    text_datum(entry.type),
                    PG_GETARG_DATUM(kValue),
                    entry.owner ? uuid_datum(*entry.owner) : Datum{0},
                    TimestampTzGetDatum(GetCurrentTimestamp()),
                    PG_ARGISNULL(kTtl) ? Datum{0} : PG_GETARG_DATUM(kTtl),
                    Int32GetDatum(static_cast<int>(bytes)),
                    terms.category ? text_datum(*terms.category) : Datum{0},
                    has_none ? Datum{0} : text_array(arrays.names),
                    has_none ? Datum{0} : int8_array(arrays.versions)};
  const char nulls[] = {' ',
                        ' ',
                        ' ',
                        entry.owner ? ' ' : 'n',
                        ' ',
                        PG_ARGISNULL(kTtl) ? 'n' : ' ',
                        ' ',
                        terms.category ? ' ' : 'n',
                        has_none ? 'n' : ' ',
                        has_none ? 'n' : ' '};
  const Installation where = installation();
  const ActAs owner(where.owner);
  const LockedSearchPath path;
  const SpiScope spi;
  plan->at(where).run(values, nulls, KeptPlan::Mode::read_write);
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_cache_set) {
  agent_queue::pg::set_value(fcinfo);
  return 0;
}
