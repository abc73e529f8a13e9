// The trigger of a watched table: a changed row is a new version of the dependency prefix:key, in the transaction that
// changes it. The versions are written with the owner's rights. Regime: guarded C++. Tested in sql/cache_watch.sql and
// test/isolation/specs/cache_*.spec.
#include <set>
#include <string>

#include "pg/api/changed_keys.hpp"
#include "pg/api/encoding.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/cache_versions.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// Of one statement. Beyond it one version of the whole group is cheaper than one for each row.
constexpr std::size_t kKeysMax = 1000;

constexpr std::size_t kDependencyCharactersMax = 200;

// POD only.
void warn_of_lost_column(Relation table, const char *column) {
  ereport(WARNING, (errmsg("column \"%s\" of table \"%s\" does not exist: all of the cache that depends on the table "
                           "is invalidated",
                           column, RelationGetRelationName(table)),
                    errhint("Call cache_watch() with the new name of the column.")));
}

// No value can depend on a longer name. In UTF-8 there are no more characters than bytes.
bool is_too_long(const std::string &utf8) {
  if (utf8.size() <= kDependencyCharactersMax) return false;
  std::size_t characters = 0;
  for (const char c : utf8) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return characters > kDependencyCharactersMax;
}

std::set<std::string> changed_dependencies(const TriggerData &trigger, const std::string &prefix) {
  const std::set<std::string> group = {prefix + ":*"};
  if (TRIGGER_FIRED_BY_TRUNCATE(trigger.tg_event)) return group;
  const char *column = trigger.tg_trigger->tgargs[0];
  const Relation table = trigger.tg_relation;
  const int number = guard([&] { return get_attnum(RelationGetRelid(table), column); });
  if (number <= 0) {
    guard([&] { warn_of_lost_column(table, column); });
    return group;
  }
  const std::set<std::string> keys = changed_keys(trigger, number, kKeysMax);
  if (keys.size() > kKeysMax) return group;
  std::set<std::string> dependencies;
  for (const std::string &key : keys) {
    std::string dependency = prefix + ":" + key;
    if (!is_too_long(dependency)) dependencies.insert(std::move(dependency));
  }
  return dependencies;
}

const TriggerData &checked_trigger(FunctionCallInfo fcinfo) {
  const auto *trigger = reinterpret_cast<const TriggerData *>(fcinfo->context);
  if (CALLED_AS_TRIGGER(fcinfo) && TRIGGER_FIRED_AFTER(trigger->tg_event) &&
      TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) && trigger->tg_trigger->tgnargs == 2)
    return *trigger;
  raise(sqlstate("39P01"), {.message = "agent_queue_cache_changed() is for the triggers of cache_watch()",
                            .detail = {},
                            .hint = "Call cache_watch('table')."});
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_cache_changed) {
  using namespace agent_queue::pg;
  const TriggerData &trigger = checked_trigger(fcinfo);
  std::string storage;
  const std::string prefix(to_utf8(trigger.tg_trigger->tgargs[1], storage));
  bump_versions(changed_dependencies(trigger, prefix));
  return PointerGetDatum(nullptr);
}
