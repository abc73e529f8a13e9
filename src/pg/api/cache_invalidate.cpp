// cache_invalidate() and its kin, clean_expired_cache(): values are dropped. For who may execute them: all users'
// values are meant. Regime: guarded C++. Tested in sql/cache_values.sql.
#include <algorithm>
#include <string>
#include <string_view>

#include "pg/api/cache_name.hpp"
#include "pg/api/cache_sql.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/text_argument.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/cache_versions.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/cells.hpp"
#include "pg/wrap/identity.hpp"
#include "pg/wrap/schema_plan.hpp"
#include "pg/wrap/search_path.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

std::int64_t run_as_owner(SchemaPlan &plan, Datum *values) {
  const Installation where = installation();
  const ActAs owner(where.owner);
  const LockedSearchPath path;
  const SpiScope spi;
  return static_cast<std::int64_t>(plan.at(where).run(values, nullptr, KeptPlan::Mode::read_write));
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_key(std::string_view pattern) {
  constexpr std::size_t kDigits = 64;
  const std::size_t colon = pattern.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  const std::string_view digits = pattern.substr(colon + 1);
  return digits.size() == kDigits && std::all_of(digits.begin(), digits.end(), is_hex_digit);
}

bool is_whole_type(std::string_view pattern) {
  return pattern.size() > 2 && pattern.find(':') == pattern.size() - 2 && pattern.back() == '*';
}

std::int64_t drop_type(std::string_view type) {
  static auto *plan = new SchemaPlan(sql::kDropType, {TEXTOID, TEXTOID});
  Datum values[] = {text_datum(std::string(type) + ":"), text_datum(std::string(type) + ";")};
  return run_as_owner(*plan, values);
}

std::int64_t drop_matching(const std::string &pattern) {
  static auto *drop_all = new SchemaPlan(sql::kDropAll, {});
  static auto *drop_key = new SchemaPlan(sql::kDropKey, {TEXTOID});
  if (pattern == "*") return run_as_owner(*drop_all, nullptr);
  if (is_whole_type(pattern)) return drop_type(std::string_view(pattern).substr(0, pattern.size() - 2));
  if (!is_key(pattern))
    raise(sqlstate("22023"), {.message = to_server_encoding("\"" + pattern + "\" is no pattern of cache keys"),
                              .detail = {},
                              .hint = "Write a key (type:hex), 'type:*' for all of a type, or '*' for all."});
  Datum values[] = {text_datum(pattern)};
  return run_as_owner(*drop_key, values);
}

// The new version first: what is stored from now on by who has seen the old one is not found either.
std::int64_t drop_dependency(const std::string &dependency) {
  static auto *plan = new SchemaPlan(sql::kDropDependency, {TEXTOID});
  bump_versions({dependency});
  Datum values[] = {text_datum(dependency)};
  return run_as_owner(*plan, values);
}

std::int64_t drop_category(const std::string &category) {
  static auto *plan = new SchemaPlan(sql::kDropCategory, {TEXTOID});
  Datum values[] = {text_datum(category)};
  return run_as_owner(*plan, values);
}

std::int64_t drop_expired() {
  constexpr std::int64_t kPortion = 1000;
  static auto *plan = new SchemaPlan(sql::kDropExpired, {TEXTOID, TIMESTAMPTZOID, INT8OID});
  const Installation where = installation();
  const ActAs owner(where.owner);
  const LockedSearchPath path;
  const Datum now = TimestampTzGetDatum(GetCurrentTimestamp());
  std::int64_t dropped = 0;
  std::int64_t portion = kPortion;
  for (std::string last; portion == kPortion; dropped += portion) {
    const SpiScope spi;
    Datum values[] = {text_datum(last), now, Int64GetDatum(kPortion)};
    plan->at(where).run(values, nullptr, KeptPlan::Mode::read_write);
    const TextRow row = read_text_rows().at(0);
    portion = whole(row[0]);
    last = row[1].value_or("");
  }
  return dropped;
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_cache_invalidate) {
  using namespace agent_queue::pg;
  return Int64GetDatum(drop_matching(text_argument(fcinfo, 0, "pattern")));
}

AQ_SQL_FUNCTION(aq_cache_invalidate_dependency) {
  using namespace agent_queue::pg;
  return Int64GetDatum(drop_dependency(cache_name_argument(fcinfo, 0, "dependency")));
}

AQ_SQL_FUNCTION(aq_cache_invalidate_category) {
  using namespace agent_queue::pg;
  return Int64GetDatum(drop_category(cache_name_argument(fcinfo, 0, "category")));
}

AQ_SQL_FUNCTION(aq_clean_expired_cache) {
  return Int64GetDatum(agent_queue::pg::drop_expired());
}
