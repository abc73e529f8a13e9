#include "pg/store/cache_rows.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/shared/cache_uses.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/installation.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// A table whose rows are found by its first column, a text COLLATE "C".
struct KeyedTable {
  Relation relation;
  Oid index;
};

struct StoreColumns {
  Oid table;
  AttrNumber value;
  AttrNumber expires_at;
  AttrNumber dependencies;
  AttrNumber versions;
};

struct TextItems {
  Datum *values;
  int count;
};

}  // namespace

// POD only, as are all functions up to find_value(). The index by its name: REINDEX CONCURRENTLY changes its OID.
static KeyedTable open_keyed(const char *table, const char *index, Oid schema) {
  KeyedTable keyed = {};
  keyed.relation = table_open(get_relname_relid(table, schema), AccessShareLock);
  keyed.index = get_relname_relid(index, schema);
  return keyed;
}

static void close_keyed(KeyedTable keyed) {
  table_close(keyed.relation, AccessShareLock);
}

static SysScanDesc find_by_key(KeyedTable keyed, Datum name, Snapshot snapshot) {
  ScanKeyData key;
  ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_TEXTEQ, name);
  return systable_beginscan(keyed.relation, keyed.index, true, snapshot, 1, &key);
}

static KeyedTable open_versions(Oid schema) {
  return open_keyed("cache_versions", "cache_versions_pkey", schema);
}

static std::int64_t version_of(KeyedTable versions, Datum name, Snapshot snapshot) {
  constexpr int kVersionColumn = 2;
  SysScanDesc scan = find_by_key(versions, name, snapshot);
  const HeapTuple tuple = systable_getnext(scan);
  bool is_null = false;
  const std::int64_t version =
      HeapTupleIsValid(tuple)
          ? DatumGetInt64(heap_getattr(tuple, kVersionColumn, RelationGetDescr(versions.relation), &is_null))
          : 0;
  systable_endscan(scan);
  return version;
}

static TextItems text_items(Datum array) {
  TextItems items = {};
  deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &items.values, nullptr, &items.count);
  return items;
}

static bool are_versions_current(Datum dependencies, Datum versions, Snapshot snapshot, Oid schema) {
  const TextItems names = text_items(dependencies);
  Datum *seen = nullptr;
  int seen_count = 0;
  deconstruct_array(DatumGetArrayTypeP(versions), INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &seen, nullptr,
                    &seen_count);
  bool are_current = seen_count == names.count;
  const KeyedTable table = open_versions(schema);
  for (int i = 0; i < names.count && are_current; ++i)
    are_current = version_of(table, names.values[i], snapshot) == DatumGetInt64(seen[i]);
  close_keyed(table);
  return are_current;
}

// Columns by name, once for each table: an update of the extension may have added some before them.
static StoreColumns columns_of(Oid table) {
  static StoreColumns kept = {};
  if (kept.table == table) return kept;
  StoreColumns found = {};
  found.value = get_attnum(table, "value");
  found.expires_at = get_attnum(table, "expires_at");
  found.dependencies = get_attnum(table, "dependencies");
  found.versions = get_attnum(table, "versions");
  found.table = table;
  kept = found;
  return found;
}

static bool is_usable(HeapTuple tuple, TupleDesc description, StoreColumns columns, Snapshot snapshot, Oid schema) {
  bool is_null = false;
  const Datum expires_at = heap_getattr(tuple, columns.expires_at, description, &is_null);
  if (DatumGetTimestampTz(expires_at) <= GetCurrentTimestamp()) return false;
  const Datum versions = heap_getattr(tuple, columns.versions, description, &is_null);
  if (is_null) return true;
  const Datum dependencies = heap_getattr(tuple, columns.dependencies, description, &is_null);
  return !is_null && are_versions_current(dependencies, versions, snapshot, schema);
}

// 0: none.
static Datum find_value(Datum key, Snapshot snapshot, Oid schema) {
  const KeyedTable store = open_keyed("cache_store", "cache_store_pkey", schema);
  const StoreColumns columns = columns_of(RelationGetRelid(store.relation));
  const TupleDesc description = RelationGetDescr(store.relation);
  SysScanDesc scan = find_by_key(store, key, snapshot);
  const HeapTuple tuple = systable_getnext(scan);
  Datum value = 0;
  if (HeapTupleIsValid(tuple) && is_usable(tuple, description, columns, snapshot, schema)) {
    bool is_null = false;
    value = PointerGetDatum(PG_DETOAST_DATUM_COPY(heap_getattr(tuple, columns.value, description, &is_null)));
  }
  systable_endscan(scan);
  close_keyed(store);
  return value;
}

static void look_up_versions(Datum names, std::int64_t *versions, Snapshot snapshot, Oid schema) {
  const TextItems items = text_items(names);
  const KeyedTable table = open_versions(schema);
  for (int i = 0; i < items.count; ++i) versions[i] = version_of(table, items.values[i], snapshot);
  close_keyed(table);
}

std::optional<std::uintptr_t> find_cached_value(const std::string &key, SnapshotData *snapshot) {
  const Oid schema = installation().schema;
  const Datum name = text_datum(key);
  const Datum value = guard([&] { return find_value(name, snapshot, schema); });
  if (value != 0) shared::note_cache_use(key);
  return value == 0 ? std::nullopt : std::optional(value);
}

std::vector<std::int64_t> find_versions(const std::vector<std::string> &names, SnapshotData *snapshot) {
  std::vector<std::int64_t> versions(names.size());
  if (names.empty()) return versions;
  const Oid schema = installation().schema;
  const Datum array = text_array({names.begin(), names.end()});
  std::int64_t *first = versions.data();
  guard([&] { look_up_versions(array, first, snapshot, schema); });
  return versions;
}

}  // namespace agent_queue::pg
