#include "pg/wrap/arrays.hpp"

#include <memory>

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// What the leaf functions get: plain data only.
struct TextCell {
  const char *bytes;
  std::size_t size;
  bool is_null;
};

struct ElementType {
  Oid oid;
  int length;
  bool by_value;
  char align;
};

constexpr ElementType kInt8 = {INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE};
constexpr ElementType kInt4 = {INT4OID, 4, true, TYPALIGN_INT};
constexpr ElementType kFloat8 = {FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE};
constexpr ElementType kBool = {BOOLOID, 1, true, TYPALIGN_CHAR};
constexpr ElementType kTimestamptz = {TIMESTAMPTZOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE};
constexpr ElementType kTid = {TIDOID, 6, false, TYPALIGN_SHORT};
constexpr ElementType kUuid = {UUIDOID, 16, false, TYPALIGN_CHAR};
constexpr ElementType kText = {TEXTOID, -1, false, TYPALIGN_INT};

}  // namespace

// Leafs: POD only.
static Datum make_array(Datum *values, bool *nulls, int count, ElementType type) {
  int dims[1] = {count};
  int bounds[1] = {1};
  if (count == 0) return PointerGetDatum(construct_empty_array(type.oid));
  return PointerGetDatum(
      construct_md_array(values, nulls, 1, dims, bounds, type.oid, type.length, type.by_value, type.align));
}

static Datum text_of(const char *utf8, std::size_t size) {
  const char *server = pg_any_to_server(utf8, static_cast<int>(size), PG_UTF8);
  const std::size_t length = server == utf8 ? size : strlen(server);
  return PointerGetDatum(cstring_to_text_with_len(server, static_cast<int>(length)));
}

static Datum make_text_array(const TextCell *cells, int count) {
  Datum *values = static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<std::size_t>(count + 1)));
  bool *nulls = static_cast<bool *>(palloc(static_cast<std::size_t>(count + 1)));
  for (int i = 0; i < count; ++i) {
    nulls[i] = cells[i].is_null;
    values[i] = cells[i].is_null ? Datum{0} : text_of(cells[i].bytes, cells[i].size);
  }
  return make_array(values, nulls, count, kText);
}

// Collects Datums and NULL flags in C++ memory and makes the array in one guarded call.
template <typename Source, typename ToDatum, typename IsNull>
static Datum array_of(const Source &source, ElementType type, ToDatum to_datum, IsNull is_null) {
  const std::size_t count = source.size();
  std::vector<Datum> values(count + 1);
  const std::unique_ptr<bool[]> nulls(new bool[count + 1]);
  for (std::size_t i = 0; i < count; ++i) {
    nulls[i] = is_null(source[i]);
    values[i] = nulls[i] ? Datum{0} : to_datum(source[i]);
  }
  Datum *first = values.data();
  bool *first_null = nulls.get();
  return guard([&] { return make_array(first, first_null, static_cast<int>(count), type); });
}

template <typename Value>
static bool never_null(const Value &) {
  return false;
}
template <typename Value>
static bool is_empty(const std::optional<Value> &value) {
  return !value.has_value();
}

DatumValue text_array(const std::vector<std::optional<std::string_view>> &values) {
  std::vector<TextCell> cells;
  cells.reserve(values.size() + 1);
  for (const auto &value : values)
    cells.push_back(value ? TextCell{value->data(), value->size(), false} : TextCell{nullptr, 0, true});
  const TextCell *first = cells.data();
  const int count = static_cast<int>(values.size());
  return guard([&] { return make_text_array(first, count); });
}

static_assert(FLOAT8PASSBYVAL, "64-bit platforms only: 8-byte values travel in a Datum");

DatumValue int8_array(const std::vector<std::optional<std::int64_t>> &values) {
  return array_of(
      values, kInt8, [](const auto &v) { return Int64GetDatum(*v); }, is_empty<std::int64_t>);
}
DatumValue int4_array(const std::vector<std::int32_t> &values) {
  return array_of(
      values, kInt4, [](auto v) { return Int32GetDatum(v); }, never_null<std::int32_t>);
}
DatumValue float8_array(const std::vector<std::optional<double>> &values) {
  return array_of(
      values, kFloat8, [](const auto &v) { return Float8GetDatum(*v); }, is_empty<double>);
}
DatumValue bool_array(const std::vector<bool> &values) {
  return array_of(
      values, kBool, [](bool v) { return BoolGetDatum(v); }, never_null<bool>);
}
DatumValue timestamptz_array(const std::vector<std::optional<std::int64_t>> &values) {
  return array_of(
      values, kTimestamptz, [](const auto &v) { return TimestampTzGetDatum(*v); }, is_empty<std::int64_t>);
}

DatumValue tid_array(const std::vector<RowPlace> &values) {
  std::vector<ItemPointerData> places(values.size() + 1);
  for (std::size_t i = 0; i < values.size(); ++i) ItemPointerSet(&places[i], values[i].block, values[i].offset);
  places.resize(values.size());
  return array_of(
      places, kTid, [](const ItemPointerData &place) { return PointerGetDatum(&place); }, never_null<ItemPointerData>);
}

DatumValue uuid_array(const std::vector<std::optional<UserId>> &values) {
  return array_of(
      values, kUuid, [](const auto &v) { return PointerGetDatum(v->data()); }, is_empty<UserId>);
}

DatumValue text_datum(const std::string &utf8) {
  const char *bytes = utf8.c_str();
  const int size = static_cast<int>(utf8.size());
  return guard([&] { return CStringGetTextDatum(pg_any_to_server(bytes, size, PG_UTF8)); });
}

DatumValue bytea_datum(std::string_view bytes) {
  // A bytea is laid out as a text is.
  return guard([&] { return PointerGetDatum(cstring_to_text_with_len(bytes.data(), static_cast<int>(bytes.size()))); });
}

DatumValue uuid_datum(const UserId &value) {
  const std::uint8_t *bytes = value.data();
  return guard([&] {
    void *copy = palloc(UUID_LEN);
    memcpy(copy, bytes, UUID_LEN);
    return PointerGetDatum(copy);
  });
}

UserId claim_bytes(ClaimToken claim) {
  UserId bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(claim.epoch >> (56 - 8 * i));
    bytes[i + 8] = static_cast<std::uint8_t>(claim.incarnation >> (56 - 8 * i));
  }
  return bytes;
}

ClaimToken claim_from_bytes(const std::uint8_t *bytes) {
  ClaimToken claim;
  for (std::size_t i = 0; i < 8; ++i) {
    claim.epoch = claim.epoch << 8 | bytes[i];
    claim.incarnation = claim.incarnation << 8 | bytes[i + 8];
  }
  return claim;
}

}  // namespace agent_queue::pg
