// explain_cost(): what each attempt of a job was billed, beside the prices that held. Regime: guarded C++.
// Tested in sql/explain_cost.sql.
#include "pg/api/explain_cost_sql.hpp"
#include "pg/api/owned_job.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/identity.hpp"
#include "pg/wrap/schema_plan.hpp"
#include "pg/wrap/search_path.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr Oid kInt8Array = 1016;

// POD only, as put_attempts. The ids outlive the result that they are in.
Datum copy_ids(bool *is_null) {
  const Datum ids = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, is_null);
  return *is_null ? ids : PointerGetDatum(PG_DETOAST_DATUM_COPY(ids));
}

void put_attempts(const ReturnSetInfo *result) {
  if (SPI_tuptable->tupdesc->natts != result->setDesc->natts)
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("explain_cost() is declared with other columns than this version of the library gives"),
                    errhint("ALTER EXTENSION agent_queue UPDATE.")));
  for (uint64 i = 0; i < SPI_processed; ++i) tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
}

void explain(JobId id, const ReturnSetInfo *result) {
  static auto *seen = new SchemaPlan(sql::kSeenUsage, {INT8OID});
  static auto *explained = new SchemaPlan(sql::kExplainCost, {INT8OID, kInt8Array});
  const Installation where = installation();
  const SpiScope spi;
  Datum values[] = {Int64GetDatum(id.value), 0};
  if (seen->at(where).run(values, nullptr, KeptPlan::Mode::read_only) == 0) raise_no_job(id);
  bool has_none = false;
  values[1] = guard([&] { return copy_ids(&has_none); });
  if (has_none) return;
  const ActAs owner(where.owner);
  const LockedSearchPath path;
  explained->at(where).run(values, nullptr, KeptPlan::Mode::read_only);
  guard([&] { put_attempts(result); });
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_explain_cost) {
  agent_queue::pg::guard([&] { InitMaterializedSRF(fcinfo, 0); });
  agent_queue::pg::explain(agent_queue::JobId{PG_GETARG_INT64(0)},
                           reinterpret_cast<const ReturnSetInfo *>(fcinfo->resultinfo));
  return 0;
}
