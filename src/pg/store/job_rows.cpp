#include "pg/store/job_rows.hpp"

#include <utility>

#include "core/wire/text_clean.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// One row as plain data; the pointers are into SPI's memory.
struct RawRow {
  int64 id;
  uint32 block;
  uint16 offset;
  bool has_user;
  unsigned char user[UUID_LEN];
  const char *agent_type;
  const char *request;
  int32 retry_count;
  int32 max_retries;
  TimestampTz created_at;
  bool expires;
  TimestampTz expires_at;
  int64 claim_key;
  const char *cache_key;  // null: NULL
  int cache_key_bytes;
  TimestampTz started_at;
  const char *hold;  // null: NULL
};

constexpr int kColumnsMax = 13;

}  // namespace

// Leafs: POD only.
// A SQL_ASCII database holds any bytes: they are taken as they are, and cleaned outside.
static const char *utf8_of(char *server) {
  if (GetDatabaseEncoding() == PG_SQL_ASCII) return server;
  return pg_server_to_any(server, static_cast<int>(strlen(server)), PG_UTF8);
}

static void read_place(Datum datum, uint32 *block, uint16 *offset) {
  const auto *place = reinterpret_cast<ItemPointer>(DatumGetPointer(datum));
  *block = ItemPointerGetBlockNumber(place);
  *offset = ItemPointerGetOffsetNumber(place);
}

static void read_row(HeapTuple tuple, TupleDesc descriptor, RawRow *row) {
  Datum values[kColumnsMax];
  bool nulls[kColumnsMax];
  heap_deform_tuple(tuple, descriptor, values, nulls);
  row->id = DatumGetInt64(values[0]);
  read_place(values[1], &row->block, &row->offset);
  row->has_user = !nulls[2];
  if (row->has_user) memcpy(row->user, DatumGetUUIDP(values[2])->data, UUID_LEN);
  row->agent_type = utf8_of(TextDatumGetCString(values[3]));
  Jsonb *request = DatumGetJsonbP(values[4]);
  row->request = utf8_of(JsonbToCString(nullptr, &request->root, VARSIZE(request)));
  row->retry_count = DatumGetInt32(values[5]);
  row->max_retries = nulls[6] ? 0 : DatumGetInt32(values[6]);
  row->created_at = DatumGetTimestampTz(values[7]);
  row->expires = !nulls[8] && !TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(values[8]));
  row->expires_at = row->expires ? DatumGetTimestampTz(values[8]) : 0;
  row->claim_key = nulls[9] ? 0 : DatumGetInt64(values[9]);
  if (!nulls[10]) {
    const bytea *key = DatumGetByteaPP(values[10]);
    row->cache_key = VARDATA_ANY(key);
    row->cache_key_bytes = static_cast<int>(VARSIZE_ANY_EXHDR(key));
  } else {
    row->cache_key = nullptr;
  }
  row->started_at = descriptor->natts > 11 && !nulls[11] ? DatumGetTimestampTz(values[11]) : row->created_at;
  row->hold = descriptor->natts > 12 && !nulls[12] ? TextDatumGetCString(values[12]) : nullptr;
}

// Types that an administrator has changed must be an error here, not a wild pointer.
static void check_types(TupleDesc descriptor) {
  static const Oid kTypes[kColumnsMax] = {INT8OID,  TIDOID,         UUIDOID,        TEXTOID,        JSONBOID,
                                          INT4OID,  INT4OID,        TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID,
                                          BYTEAOID, TIMESTAMPTZOID, TEXTOID};
  for (int i = 0; i < descriptor->natts && i < kColumnsMax; ++i)
    if (TupleDescAttr(descriptor, i)->atttypid != kTypes[i])
      ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                      errmsg("column \"%s\" of agent_queue has another type than the extension gave it",
                             NameStr(TupleDescAttr(descriptor, i)->attname))));
}

static RawRow *read_rows(uint64 count) {
  check_types(SPI_tuptable->tupdesc);
  auto *rows = static_cast<RawRow *>(palloc_extended(sizeof(RawRow) * (count + 1), MCXT_ALLOC_HUGE));
  for (uint64 i = 0; i < count; ++i) read_row(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, &rows[i]);
  return rows;
}

std::vector<JobRow> read_job_rows() {
  const uint64 count = SPI_processed;
  const RawRow *raw = guard([&] { return read_rows(count); });
  std::vector<JobRow> rows(count);
  for (uint64 i = 0; i < count; ++i) {
    JobRow &row = rows[i];
    row.place = {raw[i].block, raw[i].offset};
    row.claim_key = raw[i].claim_key;
    row.job.id = JobId{raw[i].id};
    if (raw[i].has_user) {
      row.job.user_id.emplace();
      memcpy(row.job.user_id->data(), raw[i].user, UUID_LEN);
    }
    row.job.agent_type = raw[i].agent_type;
    row.job.request = is_clean_text(raw[i].request) ? std::string(raw[i].request) : clean_text(raw[i].request);
    row.job.retry_count = raw[i].retry_count;
    row.job.max_retries = raw[i].max_retries;
    row.job.created_at = to_wall(raw[i].created_at);
    if (raw[i].expires) row.job.expires_at = to_wall(raw[i].expires_at);
    if (raw[i].cache_key != nullptr)
      row.cache_key = unpack_cache_key({raw[i].cache_key, static_cast<std::size_t>(raw[i].cache_key_bytes)});
    row.job.started_at = to_wall(raw[i].started_at);
    if (raw[i].hold != nullptr)
      if (const Result<Usd> hold = Usd::parse(raw[i].hold)) row.hold = *hold;
  }
  return rows;
}

// One column as Datums, NULL rows left out; `copied` says how many.
static Datum *read_column(int column, uint64 count, uint64 *copied) {
  auto *values = static_cast<Datum *>(palloc_extended(sizeof(Datum) * (count + 1), MCXT_ALLOC_HUGE));
  *copied = 0;
  for (uint64 i = 0; i < count; ++i) {
    bool is_null = false;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, column, &is_null);
    if (!is_null) values[(*copied)++] = value;
  }
  return values;
}

static const char **texts_of(const Datum *values, uint64 count) {
  auto *texts = static_cast<const char **>(palloc_extended(sizeof(char *) * (count + 1), MCXT_ALLOC_HUGE));
  for (uint64 i = 0; i < count; ++i) texts[i] = utf8_of(TextDatumGetCString(values[i]));
  return texts;
}

namespace {

struct Column {
  Datum *values;
  uint64 count;
};

Column column_of_result(int number) {
  const uint64 rows = SPI_processed;
  Column column = {nullptr, 0};
  uint64 *count = &column.count;
  column.values = guard([&] { return read_column(number, rows, count); });
  return column;
}

}  // namespace

std::vector<PlacedId> read_placed_ids() {
  const Column ids = column_of_result(1);
  const Column places = column_of_result(2);
  std::vector<PlacedId> rows(ids.count);
  for (uint64 i = 0; i < ids.count; ++i) {
    rows[i].id = DatumGetInt64(ids.values[i]);
    read_place(places.values[i], &rows[i].place.block, &rows[i].place.offset);
  }
  return rows;
}

std::vector<OwnRow> read_own_rows() {
  const std::vector<PlacedId> placed = read_placed_ids();
  const Column starts = column_of_result(3);
  std::vector<OwnRow> rows(placed.size());
  for (std::size_t i = 0; i < placed.size(); ++i) rows[i] = {placed[i], DatumGetTimestampTz(starts.values[i])};
  return rows;
}

NumberPair read_number_pair() {
  const auto cell = [](int number) {
    const Column column = column_of_result(number);
    return column.count == 0 ? std::nullopt : std::optional<std::int64_t>(DatumGetInt64(column.values[0]));
  };
  return {cell(1), cell(2)};
}

std::vector<std::int64_t> read_ids() {
  const Column ids = column_of_result(1);
  std::vector<std::int64_t> rows(ids.count);
  for (uint64 i = 0; i < ids.count; ++i) rows[i] = DatumGetInt64(ids.values[i]);
  return rows;
}

static std::vector<std::string> read_texts(int column_number) {
  const Column column = column_of_result(column_number);
  const char **texts = guard([&] { return texts_of(column.values, column.count); });
  return {texts, texts + column.count};
}

std::vector<std::string> read_texts() {
  return read_texts(1);
}

std::vector<LaneName> read_lane_names() {
  std::vector<std::string> queues = read_texts(1);
  std::vector<std::string> types = read_texts(2);
  std::vector<LaneName> names;
  for (std::size_t i = 0; i < queues.size() && i < types.size(); ++i)
    names.push_back({std::move(queues[i]), std::move(types[i])});
  return names;
}

std::vector<ClaimToken> read_claims() {
  const Column column = column_of_result(1);
  std::vector<ClaimToken> claims;
  for (uint64 i = 0; i < column.count; ++i) claims.push_back(claim_from_bytes(DatumGetUUIDP(column.values[i])->data));
  return claims;
}

std::vector<LaneKey> read_lane_keys() {
  std::vector<LaneName> names = read_lane_names();
  const Column keys = column_of_result(3);
  std::vector<LaneKey> rows;
  for (uint64 i = 0; i < keys.count && i < names.size(); ++i)
    rows.push_back({std::move(names[i]), DatumGetInt64(keys.values[i])});
  return rows;
}

}  // namespace agent_queue::pg
