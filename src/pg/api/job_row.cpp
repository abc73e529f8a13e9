#include "pg/api/job_row.hpp"

#include <string>

#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

static_assert(sizeof(Datum) == 8, "a bigint is passed by value");

struct ColumnName {
  const char *name;
  Oid type;
};

// In the order of Column.
constexpr ColumnName kColumns[] = {
    {"id", INT8OID},
    {"user_id", UUIDOID},
    {"created_at", TIMESTAMPTZOID},
    {"run_at", TIMESTAMPTZOID},
    {"expires_at", TIMESTAMPTZOID},
    {"started_at", TIMESTAMPTZOID},
    {"completed_at", TIMESTAMPTZOID},
    {"priority", INT4OID},
    {"retry_count", INT4OID},
    {"max_retries", INT4OID},
    {"cached", BOOLOID},
    {"stale", BOOLOID},
    {"status", TEXTOID},
    {"queue", TEXTOID},
    {"agent_type", TEXTOID},
    {"request_data", JSONBOID},
    {"result", JSONBOID},
    {"error_code", TEXTOID},
    {"error_message", TEXTOID},
    {"wait_reason", TEXTOID},
    {"idempotency_key", TEXTOID},
    {"provider", TEXTOID},
    {"model", TEXTOID},
    {"input_tokens", INT8OID},
    {"output_tokens", INT8OID},
    {"cost_usd", NUMERICOID},
    {"hold_usd", NUMERICOID},
    {"claim", UUIDOID},
    {"claim_key", INT8OID},
    {"cache_key", BYTEAOID},
};
static_assert(lengthof(kColumns) == kColumnCount);

// Where the columns were in the table that was seen last. Nearly always there is one.
struct Shape {
  Oid relation;
  int attributes;
  int at[kColumnCount];
};
Shape known_shape = {};

bool is_named(const FormData_pg_attribute *attribute, const ColumnName &wanted) {
  return !attribute->attisdropped && strcmp(NameStr(attribute->attname), wanted.name) == 0;
}

// What is read as a type that it is not would take the server down, and ALTER TABLE may come between any two rows: so
// this is asked for every row. It costs a fraction of a microsecond.
bool is_still(const Shape &shape, Relation relation, TupleDesc description) {
  if (shape.relation != RelationGetRelid(relation) || shape.attributes != description->natts) return false;
  for (int i = 0; i < kColumnCount; ++i) {
    const FormData_pg_attribute *attribute = TupleDescAttr(description, shape.at[i]);
    if (attribute->atttypid != kColumns[i].type || !is_named(attribute, kColumns[i])) return false;
  }
  return true;
}

[[noreturn]] void refuse_table(Relation relation, const ColumnName &wanted) {
  raise(sqlstate("55000"), {.message = std::string("table \"") + RelationGetRelationName(relation) +
                                       "\" has no column \"" + wanted.name + "\"",
                            .detail = {},
                            .hint = "agent_queue_admit() is for the extension's table agent_queue only."});
}

[[noreturn]] void refuse_type(const ColumnName &wanted, Oid type) {
  const std::string is = guard([&] { return format_type_be(type); });
  const std::string should_be = guard([&] { return format_type_be(wanted.type); });
  raise(
      sqlstate("42804"),
      {.message = std::string("column \"") + wanted.name + "\" of agent_queue is of type " + is + ", not " + should_be,
       .detail = {},
       .hint =
           "The columns of the extension keep their types: give it back with ALTER TABLE ... ALTER COLUMN ... TYPE."});
}

int find_column(Relation relation, TupleDesc description, const ColumnName &wanted) {
  for (int i = 0; i < description->natts; ++i) {
    const FormData_pg_attribute *attribute = TupleDescAttr(description, i);
    if (!is_named(attribute, wanted)) continue;
    if (attribute->atttypid != wanted.type) refuse_type(wanted, attribute->atttypid);
    return i;
  }
  refuse_table(relation, wanted);
}

const int *shape_of(Relation relation, TupleDesc description) {
  if (is_still(known_shape, relation, description)) return known_shape.at;
  known_shape.relation = InvalidOid;
  for (int i = 0; i < kColumnCount; ++i) known_shape.at[i] = find_column(relation, description, kColumns[i]);
  known_shape.attributes = description->natts;
  known_shape.relation = RelationGetRelid(relation);
  return known_shape.at;
}

struct Arrays {
  Datum *values;
  bool *nulls;
};

// POD only.
Arrays deform(HeapTuple tuple, TupleDesc description) {
  const auto count = static_cast<Size>(description->natts);
  Arrays arrays = {};
  arrays.values = static_cast<Datum *>(palloc(count * (sizeof(Datum) + sizeof(bool))));
  arrays.nulls = reinterpret_cast<bool *>(arrays.values + count);
  heap_deform_tuple(tuple, description, arrays.values, arrays.nulls);
  return arrays;
}

}  // namespace

JobRow::JobRow(const TriggerData &trigger) : description_(RelationGetDescr(trigger.tg_relation)) {
  shape_ = shape_of(trigger.tg_relation, description_);
  const TupleDesc description = description_;
  const HeapTuple tuple = trigger.tg_trigtuple;
  const Arrays arrays = guard([&] { return deform(tuple, description); });
  values_ = arrays.values;
  nulls_ = arrays.nulls;
}

std::string_view JobRow::get_text(Column column) const {
  const Datum datum = get(column);
  const text *value = guard([&] { return DatumGetTextPP(datum); });
  return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

void JobRow::set_text(Column column, std::string_view value) {
  const char *bytes = value.data();
  const int length = static_cast<int>(value.size());
  set(column, guard([&] { return PointerGetDatum(cstring_to_text_with_len(bytes, length)); }));
}

HeapTupleData *JobRow::make_tuple() const {
  const TupleDesc description = description_;
  Datum *values = values_;
  bool *nulls = nulls_;
  return guard([&] { return heap_form_tuple(description, values, nulls); });
}

}  // namespace agent_queue::pg
