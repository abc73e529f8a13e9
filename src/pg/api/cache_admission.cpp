#include "pg/api/cache_admission.hpp"

#include <memory>

#include "core/cache/cache_key.hpp"
#include "core/wire/json_read.hpp"
#include "pg/api/cache_admission_sql.hpp"
#include "pg/api/encoding.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/shared/cache_uses.hpp"
#include "pg/store/answer_cache_sql.hpp"
#include "pg/store/cache_versions.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/identity.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/schema_plan.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// POD only.
char *json_text(Datum jsonb) {
  Jsonb *value = DatumGetJsonbP(jsonb);
  return JsonbToCString(nullptr, &value->root, VARSIZE(value));
}

// In the order of kStoredAnswer.
enum Field { kValue = 1, kProvider, kModel, kInputTokens, kOutputTokens, kCost, kExpiresAt, kFieldCount };

// POD: in the memory of whoever asked.
struct StoredAnswer {
  Datum values[kFieldCount];
  bool nulls[kFieldCount];
  const char *provider;  // as text; null: NULL
  const char *model;
  const char *cost;
};

// POD only. SPI's memory goes before the row is made of this.
void copy_answer(MemoryContext home, StoredAnswer *answer) {
  const HeapTuple tuple = SPI_tuptable->vals[0];
  const TupleDesc description = SPI_tuptable->tupdesc;
  MemoryContext before = MemoryContextSwitchTo(home);
  for (int field = kValue; field < kFieldCount; ++field) {
    answer->values[field] = SPI_getbinval(tuple, description, field, &answer->nulls[field]);
    const FormData_pg_attribute *attribute = TupleDescAttr(description, field - 1);
    if (answer->nulls[field] || attribute->attbyval) continue;
    answer->values[field] = PointerGetDatum(PG_DETOAST_DATUM_COPY(answer->values[field]));
  }
  answer->provider = answer->nulls[kProvider] ? nullptr : TextDatumGetCString(answer->values[kProvider]);
  answer->model = answer->nulls[kModel] ? nullptr : TextDatumGetCString(answer->values[kModel]);
  answer->cost =
      answer->nulls[kCost] ? nullptr : DatumGetCString(DirectFunctionCall1(numeric_out, answer->values[kCost]));
  MemoryContextSwitchTo(before);
}

// What is read as a type that it is not would take the server down.
bool has_types(TupleDesc description) {
  constexpr Oid kTypes[] = {JSONBOID, TEXTOID, TEXTOID, INT8OID, INT8OID, NUMERICOID, TIMESTAMPTZOID};
  for (int i = 0; i < static_cast<int>(lengthof(kTypes)); ++i)
    if (TupleDescAttr(description, i)->atttypid != kTypes[i]) return false;
  return true;
}

bool find_answer(const std::string &key, TimestampTz usable_since, StoredAnswer &answer) {
  static auto *plan = new SchemaPlan(sql::kStoredAnswer, {TEXTOID, TIMESTAMPTZOID});
  const Installation &where = installation();
  const MemoryContext home = CurrentMemoryContext;
  const ActAs owner(where.owner);
  SpiScope spi;
  Datum values[] = {text_datum(key), TimestampTzGetDatum(usable_since)};
  if (plan->at(where).run(values, nullptr, KeptPlan::Mode::read_only) == 0) return false;
  StoredAnswer *found = &answer;
  return guard([&] {
    if (!has_types(SPI_tuptable->tupdesc)) return false;
    copy_answer(home, found);
    return true;
  });
}

std::string request_text(const JobRow &row) {
  const Datum request = row.get(Column::request_data);
  const char *server = guard([&] { return json_text(request); });
  std::string storage;
  return std::string(to_utf8(server, storage));
}

void set_or_null(JobRow &row, Column column, const StoredAnswer &answer, Field field) {
  if (answer.nulls[field])
    row.set_null(column);
  else
    row.set(column, answer.values[field]);
}

std::optional<std::string> text_or_null(const char *server) {
  if (server == nullptr) return std::nullopt;
  std::string storage;
  return std::string(to_utf8(server, storage));
}

// The statement of a worker that completes jobs, for the usage of those that are born completed.
RowsPlan &usage_plan(const Installation &where) {
  static std::unique_ptr<RowsPlan> plan;
  static unsigned int extension = 0;
  static std::string schema;
  if (plan == nullptr || extension != where.extension || schema != where.schema_quoted) {
    plan = std::make_unique<RowsPlan>(sql::kServedUsage, sql::kServedUsageRows, std::initializer_list<unsigned int>{},
                                      where);
    extension = where.extension;
    schema = where.schema_quoted;
  }
  return *plan;
}

}  // namespace

bool admit_cache_key(JobRow &row, const AgentType &type, const std::optional<UserId> &user) {
  row.set_null(Column::cache_key);
  if (!type.cache || !type.cache->depends_on_error.empty()) return false;
  const CacheRule &rule = *type.cache;
  const std::string request = request_text(row);
  std::vector<DependencyVersion> versions;
  if (!rule.depends_on.empty()) {
    const Result<Json> parsed = parse_json(request);
    if (!parsed) return false;
    const Result<std::vector<std::string>> dependencies = render_dependencies(rule.depends_on, *parsed);
    if (!dependencies) return false;
    versions = read_versions(*dependencies);
  }
  const std::optional<UserId> owner = rule.scope == CacheScope::user ? user : std::nullopt;
  const Result<Digest> digest = answer_digest(type, owner, request, versions);
  if (!digest) return false;
  const JobCacheKey key{JobCacheKey::Kind::ordinary, short_digest(rule.definition), *digest};
  row.set(Column::cache_key, bytea_datum(pack(key)));
  return true;
}

std::optional<AdmittedHit> answer_at_once(JobRow &row, const AgentType &type, const std::optional<UserId> &user,
                                          std::int64_t now) {
  if (row.is_null(Column::id)) return std::nullopt;  // what is answered must be found again
  const Datum packed = row.get(Column::cache_key);
  const auto *bytes = reinterpret_cast<const bytea *>(DatumGetPointer(packed));
  const std::optional<JobCacheKey> key =
      unpack_cache_key({VARDATA_ANY(bytes), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(bytes))});
  if (!key) return std::nullopt;
  const CacheRule &rule = *type.cache;
  StoredAnswer answer = {};
  const TimestampTz usable_since = now - rule.stale_while_revalidate.value_or(Micros{0}).count();
  const std::string stored_as = store_key(rule.type, key->digest);
  if (!find_answer(stored_as, usable_since, answer)) return std::nullopt;
  shared::note_cache_use(stored_as);

  row.set_text(Column::status, "completed");
  row.set(Column::result, answer.values[kValue]);
  row.set_bool(Column::cached, true);
  row.set_bool(Column::stale, DatumGetTimestampTz(answer.values[kExpiresAt]) <= now);
  set_or_null(row, Column::provider, answer, kProvider);
  set_or_null(row, Column::model, answer, kModel);
  set_or_null(row, Column::input_tokens, answer, kInputTokens);
  set_or_null(row, Column::output_tokens, answer, kOutputTokens);
  row.set(Column::cost_usd, guard([] { return DirectFunctionCall1(int4_numeric, Int32GetDatum(0)); }));
  row.set_int64(Column::started_at, now);
  row.set_int64(Column::completed_at, now);

  AdmittedHit hit;
  hit.job = JobId{row.get_int64(Column::id)};
  hit.user = user;
  hit.agent_type = type.name;
  hit.provider = text_or_null(answer.provider);
  hit.model = text_or_null(answer.model);
  if (answer.cost != nullptr) hit.saved_usd = answer.cost;
  hit.at = now;
  return hit;
}

void write_hits(const std::vector<AdmittedHit> &hits, const std::unordered_set<std::int64_t> &inserted) {
  std::vector<std::optional<std::int64_t>> queue_ids, at;
  std::vector<std::optional<UserId>> users;
  std::vector<std::optional<std::string_view>> types, providers, models, saved;
  for (const AdmittedHit &hit : hits) {
    if (!inserted.contains(hit.job.value)) continue;
    queue_ids.emplace_back(hit.job.value);
    users.push_back(hit.user);
    types.emplace_back(hit.agent_type);
    providers.emplace_back(hit.provider);
    models.emplace_back(hit.model);
    saved.emplace_back(hit.saved_usd);
    at.emplace_back(hit.at);
  }
  if (queue_ids.empty()) return;
  const Installation &where = installation();
  const ActAs owner(where.owner);
  DatumValue values[] = {int8_array(queue_ids), int4_array(std::vector<std::int32_t>(queue_ids.size(), 1)),
                         uuid_array(users),     text_array(types),
                         text_array(providers), text_array(models),
                         text_array(saved),     timestamptz_array(at)};
  usage_plan(where).run(values, queue_ids.size());
}

}  // namespace agent_queue::pg
