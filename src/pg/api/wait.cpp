// wait_agent(): waits for a job. Regime: guarded C++. Tested in sql/wait.sql, sql/echo.sql and test/isolation.
#include "pg/api/job_wait.hpp"
#include "pg/boundary/entry.hpp"

#include "pg/pg.hpp"

AQ_SQL_FUNCTION(aq_wait_agent) {
  using namespace agent_queue::pg;
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) {
    fcinfo->isnull = true;
    return 0;
  }
  return wait_for_job(agent_queue::JobId{PG_GETARG_INT64(0)}, read_timeout(PG_GETARG_DATUM(1)), nullptr);
}
