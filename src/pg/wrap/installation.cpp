#include "pg/wrap/installation.hpp"

#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

struct RawInstallation {
  Oid extension;
  Oid owner;
  Oid schema;
  Oid job_table;
  const char *schema_name;
  const char *schema_quoted;
};

}  // namespace

// POD only.
static RawInstallation scan_pg_extension() {
  RawInstallation raw = {};
  const Oid oid = get_extension_oid("agent_queue", true);
  if (!OidIsValid(oid)) return raw;

  Relation relation = table_open(ExtensionRelationId, AccessShareLock);
  ScanKeyData key;
  ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
  SysScanDesc scan = systable_beginscan(relation, ExtensionOidIndexId, true, nullptr, 1, &key);
  HeapTuple tuple = systable_getnext(scan);
  if (HeapTupleIsValid(tuple)) {
    const auto *form = reinterpret_cast<Form_pg_extension>(GETSTRUCT(tuple));
    raw.extension = oid;
    raw.owner = form->extowner;
    raw.schema = form->extnamespace;
  }
  systable_endscan(scan);
  table_close(relation, AccessShareLock);
  if (!OidIsValid(raw.extension)) return raw;

  raw.schema_name = get_namespace_name(raw.schema);
  if (raw.schema_name == nullptr) return RawInstallation{};
  raw.schema_quoted = quote_identifier(raw.schema_name);
  raw.job_table = get_relname_relid("agent_queue", raw.schema);
  return raw;
}

std::optional<Installation> find_installation() {
  const RawInstallation raw = guard(scan_pg_extension);
  if (!OidIsValid(raw.extension) || !OidIsValid(raw.job_table)) return std::nullopt;
  Installation found;
  found.extension = raw.extension;
  found.owner = raw.owner;
  found.schema = raw.schema;
  found.job_table = raw.job_table;
  found.schema_name = raw.schema_name;
  found.schema_quoted = raw.schema_quoted;
  return found;
}

static bool is_current = false;
static bool is_callback_registered = false;
static Oid watched_table = InvalidOid;

static void on_relcache_change(Datum, Oid relation) {
  if (relation == InvalidOid || relation == watched_table) is_current = false;
}

const Installation &installation() {
  static std::optional<Installation> *kept = new std::optional<Installation>;  // never destroyed: no exit order
  if (!is_callback_registered) {
    guard([] {
      CacheRegisterSyscacheCallback(
          NAMESPACEOID, [](Datum, int, uint32) { is_current = false; }, 0);
    });
    guard([] { CacheRegisterRelcacheCallback(on_relcache_change, 0); });
    is_callback_registered = true;
  }
  if (!is_current || !kept->has_value()) {
    kept->reset();
    is_current = true;  // first: an invalidation during the look-up counts
    *kept = find_installation();
    watched_table = kept->has_value() ? (*kept)->job_table : InvalidOid;
  }
  if (!kept->has_value()) {
    is_current = false;
    raise(sqlstate("55000"), {.message = "extension \"agent_queue\" is not installed in this database",
                              .detail = {},
                              .hint = "Run CREATE EXTENSION agent_queue."});
  }
  return **kept;
}

std::string render_sql(std::string_view text, const Installation &where) {
  static constexpr std::string_view kPlace = "@s@";
  std::string out;
  out.reserve(text.size() + 64);
  for (std::size_t at; (at = text.find(kPlace)) != std::string_view::npos; text.remove_prefix(at + kPlace.size())) {
    out.append(text.substr(0, at));
    out.append(where.schema_quoted);
  }
  return out.append(text);
}

}  // namespace agent_queue::pg
