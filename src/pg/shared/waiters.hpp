// Sessions that wait for a job, without polling: a fixed table of condition variables, by the job's id.
// Plain functions, except wait(), which must be guarded (it serves interrupts).
#pragma once

#include <cstdint>

#include "core/base/ids.hpp"
#include "pg/shared/databases.hpp"

namespace agent_queue::pg::shared {

// From here on a settle of the job is not missed; then look at the row; then wait_settled().
void prepare_wait(DatabaseOid database, JobId job);
// True: maybe settled (or another job of the same channel). False: the time is over. May raise: guard it.
bool wait_settled(DatabaseOid database, JobId job, long timeout_ms);
void cancel_wait();

// After the commit that settled the job.
void wake_waiters(DatabaseOid database, JobId job);

}  // namespace agent_queue::pg::shared
