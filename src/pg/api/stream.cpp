// agent_stream(): the text so far of a streamed answer. Whether the caller may see it is decided by the job's row,
// which is read with the caller's rights; the parts are nobody's to read and are fetched with the owner's. Regime:
// guarded C++. Tested in sql/stream.sql and test/tap/210_streaming.pl.
#include "core/base/ids.hpp"
#include "pg/api/owned_job.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/identity.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/schema_plan.hpp"
#include "pg/wrap/spi.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// Casts: what is read below has its type even if somebody altered the column's.
constexpr const char *kAttempt = R"(
  SELECT CASE WHEN status OPERATOR(pg_catalog.=) 'processing' THEN started_at::pg_catalog.timestamptz END,
         CASE WHEN status OPERATOR(pg_catalog.=) 'completed'
               AND pg_catalog.jsonb_typeof(result::pg_catalog.jsonb OPERATOR(pg_catalog.->) 'text')
                   OPERATOR(pg_catalog.=) 'string'
              THEN result::pg_catalog.jsonb OPERATOR(pg_catalog.->>) 'text' END
    FROM @s@.agent_queue WHERE id OPERATOR(pg_catalog.=) $1)";

// $1 job, $2 the attempt's start
constexpr const char *kTextSoFar = R"(
  SELECT pg_catalog.string_agg(text, '' ORDER BY number)
    FROM @s@.agent_stream_parts
   WHERE queue_id OPERATOR(pg_catalog.=) $1 AND started_at OPERATOR(pg_catalog.=) $2)";

// POD: one column of a row; `value` of a text is in the caller's memory.
struct Cell {
  Datum value;
  bool is_null;
};

// POD only.
Cell read_cell(int column, MemoryContext home) {
  Cell cell = {0, true};
  cell.value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &cell.is_null);
  if (cell.is_null || home == nullptr) return cell;
  MemoryContext before = MemoryContextSwitchTo(home);
  cell.value = PointerGetDatum(PG_DETOAST_DATUM_COPY(cell.value));
  MemoryContextSwitchTo(before);
  return cell;
}

struct Attempt {
  Cell started_at;  // null: no call is under way
  Cell final_text;
};

Attempt look_up(JobId id, const Installation &where, MemoryContext home) {
  static auto *plan = new SchemaPlan(kAttempt, {INT8OID});
  Datum values[] = {Int64GetDatum(id.value)};
  if (plan->at(where).run(values, nullptr, KeptPlan::Mode::read_only) == 0) raise_no_job(id);
  return guard([&] { return Attempt{read_cell(1, nullptr), read_cell(2, home)}; });
}

Cell text_so_far(JobId id, Datum started_at, const Installation &where, MemoryContext home) {
  static auto *plan = new SchemaPlan(kTextSoFar, {INT8OID, TIMESTAMPTZOID});
  const ActAs owner(where.owner);
  Datum values[] = {Int64GetDatum(id.value), started_at};
  plan->at(where).run(values, nullptr, KeptPlan::Mode::read_only);
  return guard([&] { return read_cell(1, home); });
}

// One snapshot for both, the latest: else a job that is settled in between would seem to have lost its text.
Cell read_text(JobId id, const Installation &where) {
  const MemoryContext home = CurrentMemoryContext;
  Cell text = {0, true};
  guard([] { PushActiveSnapshot(GetLatestSnapshot()); });  // when an exception leaves, the abort pops it
  {
    SpiScope spi;
    const Attempt attempt = look_up(id, where, home);
    text = attempt.final_text;
    // A standby has no unlogged tables.
    if (!attempt.started_at.is_null && !RecoveryInProgress())
      text = text_so_far(id, attempt.started_at.value, where, home);
  }
  guard([] { PopActiveSnapshot(); });
  return text;
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_agent_stream) {
  using namespace agent_queue::pg;
  const Cell found = read_text(agent_queue::JobId{PG_GETARG_INT64(0)}, installation());
  fcinfo->isnull = found.is_null;
  return found.value;
}
