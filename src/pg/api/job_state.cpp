#include "pg/api/job_state.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/wrap/schema_plan.hpp"
#include "pg/wrap/spi.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// Casts: what is read below has its type even if somebody altered the column's.
// The xmin tells whether this very transaction wrote the row: then nobody else sees it yet.
constexpr const char *kJobState = R"(
  SELECT status, result::pg_catalog.jsonb, error_code, error_message, provider, model, wait_reason,
         CASE WHEN wait_reason IS NOT NULL THEN run_at::pg_catalog.text END, retry_count::pg_catalog.int4, xmin
    FROM @s@.agent_queue WHERE id OPERATOR(pg_catalog.=) $1)";

// In the order of kJobState.
enum Field {
  kStatus = 1,
  kResult,
  kErrorCode,
  kErrorMessage,
  kProvider,
  kModel,
  kWaitReason,
  kRunAt,
  kRetryCount,
  kXmin
};

// POD: the row, with its texts in SPI's memory. Null: NULL.
struct RawState {
  const char *texts[kRunAt + 1];
  Datum result;
  int retry_count;
  bool is_of_this_transaction;
};

// POD only. The result is copied out of the table's pages and toast while the snapshot protects them.
Datum copy_result(Datum result, MemoryContext home) {
  MemoryContext before = MemoryContextSwitchTo(home);
  const Datum copy = PointerGetDatum(PG_DETOAST_DATUM_COPY(result));
  MemoryContextSwitchTo(before);
  return copy;
}

RawState read_row(MemoryContext home) {
  const HeapTuple tuple = SPI_tuptable->vals[0];
  const TupleDesc description = SPI_tuptable->tupdesc;
  RawState raw = {};
  bool is_null = false;
  for (const Field field : {kStatus, kErrorCode, kErrorMessage, kProvider, kModel, kWaitReason, kRunAt})
    raw.texts[field] = SPI_getvalue(tuple, description, field);
  const Datum result = SPI_getbinval(tuple, description, kResult, &is_null);
  if (!is_null && strcmp(raw.texts[kStatus], "completed") == 0) raw.result = copy_result(result, home);
  raw.retry_count = DatumGetInt32(SPI_getbinval(tuple, description, kRetryCount, &is_null));
  const Datum xmin = SPI_getbinval(tuple, description, kXmin, &is_null);
  raw.is_of_this_transaction = TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
  return raw;
}

std::optional<std::string> optional_text(const char *text) {
  return text == nullptr ? std::nullopt : std::optional<std::string>(text);
}

JobState to_state(const RawState &raw) {
  JobState state;
  state.status = optional_text(raw.texts[kStatus]).value_or("");
  state.is_of_this_transaction = raw.is_of_this_transaction;
  state.result = raw.result;
  state.error_code = optional_text(raw.texts[kErrorCode]).value_or("");
  state.error_message = optional_text(raw.texts[kErrorMessage]).value_or("");
  state.provider = optional_text(raw.texts[kProvider]);
  state.model = optional_text(raw.texts[kModel]);
  state.retry_count = raw.retry_count;
  state.wait_reason = optional_text(raw.texts[kWaitReason]);
  state.run_at = optional_text(raw.texts[kRunAt]).value_or("");
  return state;
}

}  // namespace

std::optional<JobState> read_job_state(JobId id, const Installation &where) {
  static auto *plan = new SchemaPlan(kJobState, {INT8OID});
  const MemoryContext home = CurrentMemoryContext;
  std::optional<JobState> state;
  // When an exception leaves, the abort pops the snapshot.
  guard([] { PushActiveSnapshot(GetLatestSnapshot()); });
  {
    SpiScope spi;
    Datum values[] = {Int64GetDatum(id.value)};
    if (plan->at(where).run(values, nullptr, KeptPlan::Mode::read_only) > 0)
      state = to_state(guard([&] { return read_row(home); }));
  }
  guard([] { PopActiveSnapshot(); });
  return state;
}

}  // namespace agent_queue::pg
