#include "pg/store/finished_rows.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// One row as plain data.
struct RawFinished {
  int64 id;
  uint32 block;
  uint16 offset;
  bool is_failed;
  const char *queue;  // UTF-8
  TimestampTz ended_at;
};

constexpr int kColumns = 5;
constexpr int kNumbersMax = 4;

}  // namespace

// Leafs: POD only.
static void check_types(TupleDesc descriptor) {
  static const Oid kTypes[kColumns] = {INT8OID, TIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
  for (int i = 0; i < kColumns; ++i)
    if (TupleDescAttr(descriptor, i)->atttypid != kTypes[i])
      ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                      errmsg("column \"%s\" of agent_queue has another type than the extension gave it",
                             NameStr(TupleDescAttr(descriptor, i)->attname))));
}

static const char *utf8_of(char *server) {
  if (GetDatabaseEncoding() == PG_SQL_ASCII) return server;
  return pg_server_to_any(server, static_cast<int>(strlen(server)), PG_UTF8);
}

static RawFinished *read_raw(uint64 count) {
  check_types(SPI_tuptable->tupdesc);
  auto *rows = static_cast<RawFinished *>(palloc(sizeof(RawFinished) * (count + 1)));
  for (uint64 i = 0; i < count; ++i) {
    Datum values[kColumns];
    bool nulls[kColumns];
    heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values, nulls);
    const auto *place = reinterpret_cast<ItemPointer>(DatumGetPointer(values[1]));
    rows[i].id = DatumGetInt64(values[0]);
    rows[i].block = ItemPointerGetBlockNumber(place);
    rows[i].offset = ItemPointerGetOffsetNumber(place);
    rows[i].queue = utf8_of(TextDatumGetCString(values[2]));
    rows[i].is_failed = *VARDATA_ANY(DatumGetPointer(values[3])) == 'f';
    rows[i].ended_at = DatumGetTimestampTz(values[4]);
  }
  return rows;
}

static int read_first_row(int64 *numbers) {
  if (SPI_processed == 0) return 0;
  const int count = Min(SPI_tuptable->tupdesc->natts, kNumbersMax);
  for (int i = 0; i < count; ++i) {
    bool is_null = false;
    const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &is_null);
    numbers[i] = is_null ? 0 : DatumGetInt64(value);
  }
  return count;
}

std::vector<FinishedRow> read_finished_rows() {
  const uint64 count = SPI_processed;
  const RawFinished *raw = guard([&] { return read_raw(count); });
  std::vector<FinishedRow> rows(count);
  for (uint64 i = 0; i < count; ++i) {
    rows[i].id = raw[i].id;
    rows[i].place = {raw[i].block, raw[i].offset};
    rows[i].job.queue = raw[i].queue;
    rows[i].job.status = raw[i].is_failed ? FinishedStatus::failed : FinishedStatus::completed;
    if (!TIMESTAMP_NOT_FINITE(raw[i].ended_at)) rows[i].job.ended_at = to_wall(raw[i].ended_at);
  }
  return rows;
}

std::vector<std::int64_t> read_numbers() {
  int64 numbers[kNumbersMax] = {};
  const int count = guard([&] { return read_first_row(numbers); });
  return {numbers, numbers + count};
}

}  // namespace agent_queue::pg
