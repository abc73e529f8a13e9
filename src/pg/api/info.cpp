// What the library says about itself: its version, and its workers as shared memory has them. Regime: guarded C++.
// Tested in sql/01_install.sql and sql/echo.sql.
#include "pg/boundary/entry.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/shared/workers.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr int kViewsMax = 128;
constexpr int kColumns = 12;

// POD only, as all below.
void put_worker(ReturnSetInfo *result, const shared::WorkerView &worker) {
  Datum values[kColumns] = {Int32GetDatum(worker.pid),
                            Int64GetDatum(static_cast<int64>(worker.incarnation)),
                            CStringGetTextDatum(shared::worker_state_name(worker.state)),
                            Int32GetDatum(worker.in_flight),
                            Int64GetDatum(static_cast<int64>(worker.claimed)),
                            Int64GetDatum(static_cast<int64>(worker.settled)),
                            Int64GetDatum(static_cast<int64>(worker.rounds)),
                            Int64GetDatum(static_cast<int64>(worker.wakeups)),
                            Int64GetDatum(static_cast<int64>(worker.rescued)),
                            Int64GetDatum(static_cast<int64>(worker.store_failures)),
                            TimestampTzGetDatum(worker.started_at),
                            TimestampTzGetDatum(worker.last_round_at)};
  bool nulls[kColumns] = {};
  const bool is_starting = worker.pid == 0;  // reserved: its process does not run yet
  nulls[0] = is_starting;
  nulls[1] = is_starting;
  nulls[kColumns - 1] = worker.last_round_at == 0;
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

void put_workers(FunctionCallInfo fcinfo) {
  InitMaterializedSRF(fcinfo, 0);
  shared::WorkerView views[kViewsMax];
  const int count = shared::list_workers(MyDatabaseId, views, kViewsMax);
  for (int i = 0; i < count; ++i) put_worker(reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo), views[i]);
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_workers) {
  agent_queue::pg::guard([&] { agent_queue::pg::put_workers(fcinfo); });
  return 0;
}

AQ_SQL_FUNCTION(aq_version) {
  return agent_queue::pg::guard([] { return CStringGetTextDatum(AQ_VERSION); });
}
