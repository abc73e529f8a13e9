// cache_watch() and cache_unwatch(): the triggers that tell the cache of changed rows. Made with the caller's rights:
// the table is the caller's own. Regime: guarded C++. Tested in sql/cache_watch.sql.
#include <algorithm>
#include <string>
#include <vector>

#include "pg/api/encoding.hpp"
#include "pg/api/text_argument.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/cache_versions.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/search_path.hpp"
#include "pg/wrap/spi.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

enum Argument { kTable, kKeyColumn, kPrefix };

// Statement triggers belong to the one table that a statement names: a partition, or a child, has its own, for
// statements that name it. "@t@": the table's OID.
constexpr const char *kFamily = R"(
  WITH RECURSIVE family (oid) AS (
    SELECT @t@::oid
    UNION
    SELECT i.inhrelid FROM pg_inherits AS i JOIN family AS f ON i.inhparent = f.oid
  )
  SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
    FROM family AS f JOIN pg_class AS c ON c.oid = f.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace
   ORDER BY f.oid)";

// "@t@": the table's OID, "@n@": the extension's schema's.
constexpr const char *kWatches = R"(
  WITH RECURSIVE family (oid) AS (
    SELECT @t@::oid
    UNION
    SELECT i.inhrelid FROM pg_inherits AS i JOIN family AS f ON i.inhparent = f.oid
  )
  SELECT pg_catalog.format('DROP TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname)
    FROM family AS f
    JOIN pg_trigger AS t ON t.tgrelid = f.oid AND NOT t.tgisinternal
    JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.proname = 'agent_queue_cache_changed' AND p.pronamespace = @n@::oid
    JOIN pg_class AS c ON c.oid = f.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace
   ORDER BY f.oid, t.tgname)";

// POD.
struct Table {
  char kind;  // 0: there is none
  bool is_callers;
  bool is_versions;
  AttrNumber key;
  const char *name;
};

// POD only.
Table look_at(Oid oid, const char *key_column, Oid schema) {
  Table table = {};
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oid));
  if (!HeapTupleIsValid(tuple)) return table;
  const auto *form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
  table.kind = form->relkind;
  table.is_callers = has_privs_of_role(GetUserId(), form->relowner);
  table.is_versions = oid == get_relname_relid("cache_versions", schema);
  table.name = pstrdup(NameStr(form->relname));
  ReleaseSysCache(tuple);
  if (key_column != nullptr) table.key = get_attnum(oid, key_column);
  return table;
}

std::string quoted(const std::string &server_text) {
  const char *text = server_text.c_str();
  return guard([&] { return quote_literal_cstr(text); });
}

std::string replaced(std::string text, std::string_view place, Oid oid) {
  for (std::size_t at; (at = text.find(place)) != std::string::npos;)
    text.replace(at, place.size(), std::to_string(oid));
  return text;
}

void check_owner(Oid oid, const Table &table) {
  if (table.kind == 0)
    raise(sqlstate("42P01"),
          {.message = "relation with OID " + std::to_string(oid) + " does not exist", .detail = {}, .hint = {}});
  if (table.is_callers) return;
  raise(sqlstate("42501"), {.message = std::string("must be owner of table ") + table.name, .detail = {}, .hint = {}});
}

void check_kind(const Table &table) {
  const bool is_table = table.kind == RELKIND_RELATION || table.kind == RELKIND_PARTITIONED_TABLE;
  if (is_table && !table.is_versions) return;
  const bool is_view = table.kind == RELKIND_VIEW || table.kind == RELKIND_MATVIEW;
  raise(sqlstate("42809"), {.message = std::string("\"") + table.name + "\" cannot be watched",
                            .detail = table.is_versions ? "It is what watches write."
                                      : is_view         ? "It is a view: nothing tells when its rows change."
                                                        : "It is not an ordinary or partitioned table.",
                            .hint = table.is_versions ? ""
                                    : is_view         ? "Watch the tables that it reads."
                                                      : "Call cache_invalidate_dependency() where its data change."});
}

void check_prefix(const std::string &prefix) {
  constexpr std::size_t kBytesMax = 100;
  const bool has_bad = std::any_of(prefix.begin(), prefix.end(), [](char c) {
    return c == ':' || c == '*' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (!prefix.empty() && prefix.size() <= kBytesMax && !has_bad) return;
  raise(sqlstate("22023"), {.message = to_server_encoding("\"" + prefix + "\" cannot be the prefix of dependencies"),
                            .detail = "It has 1 to 100 bytes, without a colon, an asterisk or a control character.",
                            .hint = "Give another one by the argument prefix: dependencies are prefix:key."});
}

// For each event the transition tables that it has.
constexpr struct {
  const char *name;
  const char *event;
  const char *tables;
} kTriggers[] = {
    {"insert", "INSERT", "REFERENCING NEW TABLE AS new_rows"},
    {"update", "UPDATE", "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"},
    {"delete", "DELETE", "REFERENCING OLD TABLE AS old_rows"},
    {"truncate", "TRUNCATE", ""},
};

std::vector<std::string> first_column(const std::string &sql) {
  std::vector<std::string> values;
  for (const TextRow &row : query_rows(sql)) values.push_back(to_server_encoding(row[0].value_or("")));
  return values;
}

void watch(Oid oid, const std::string &key_column, const std::string &prefix, const Installation &where) {
  const LockedSearchPath path;
  const SpiScope spi;
  const std::string call = where.schema_quoted + ".agent_queue_cache_changed(" +
                           quoted(to_server_encoding(key_column)) + ", " + quoted(to_server_encoding(prefix)) + ")";
  for (const std::string &table : first_column(replaced(kFamily, "@t@", oid)))
    for (const auto &trigger : kTriggers)
      execute_sql(std::string("CREATE OR REPLACE TRIGGER agent_queue_cache_") + trigger.name + " AFTER " +
                  trigger.event + " ON " + table + " " + trigger.tables + " FOR EACH STATEMENT EXECUTE FUNCTION " +
                  call);
}

void unwatch(Oid oid, const Installation &where) {
  const LockedSearchPath path;
  const SpiScope spi;
  for (const std::string &drop : first_column(replaced(replaced(kWatches, "@t@", oid), "@n@", where.schema)))
    execute_sql(drop);
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_cache_watch) {
  using namespace agent_queue::pg;
  if (PG_ARGISNULL(kTable)) raise(sqlstate("22004"), {.message = "table_name is NULL", .detail = {}, .hint = {}});
  const Oid oid = PG_GETARG_OID(kTable);
  const std::string key_column = text_argument(fcinfo, kKeyColumn, "key_column");
  const Installation where = installation();
  const std::string key_in_server = to_server_encoding(key_column);
  const char *key_name = key_in_server.c_str();
  const Oid schema = where.schema;
  const Table table = guard([&] { return look_at(oid, key_name, schema); });
  check_owner(oid, table);
  check_kind(table);
  if (table.key <= 0)
    raise(sqlstate("42703"),
          {.message = "column \"" + key_in_server + "\" of table \"" + table.name + "\" does not exist",
           .detail = {},
           .hint = "Name the column by which dependencies tell rows apart by the argument key_column."});
  std::string storage;
  const std::string prefix =
      PG_ARGISNULL(kPrefix) ? std::string(to_utf8(table.name, storage)) : text_argument(fcinfo, kPrefix, "prefix");
  check_prefix(prefix);
  watch(oid, key_column, prefix, where);
  // Of what changed before nobody was told.
  bump_versions({prefix + ":*"});
  return 0;
}

AQ_SQL_FUNCTION(aq_cache_unwatch) {
  using namespace agent_queue::pg;
  if (PG_ARGISNULL(kTable)) raise(sqlstate("22004"), {.message = "table_name is NULL", .detail = {}, .hint = {}});
  const Oid oid = PG_GETARG_OID(kTable);
  const Installation where = installation();
  const Oid schema = where.schema;
  check_owner(oid, guard([&] { return look_at(oid, nullptr, schema); }));
  unwatch(oid, where);
  return 0;
}
