// Sessions that wait for a job, without polling: a fixed table of condition variables, by the job's id.
// cancel_wait() and wake_waiters() are plain functions; prepare_wait() and wait_settled() may raise and must be
// guarded.
#pragma once

#include <cstdint>

#include "core/base/ids.hpp"
#include "pg/shared/databases.hpp"

namespace agent_queue::pg::shared {

// From here on a settle of the job is not missed; then look at the row; then wait_settled(). May raise (the first call
// of a process makes its set of wait events): guard it.
void prepare_wait(DatabaseOid database, JobId job);
// True: maybe settled (or another job of the same channel). False: the time is over. May raise (it
// serves interrupts): guard it.
bool wait_settled(DatabaseOid database, JobId job, long timeout_ms);
void cancel_wait();

// After the commit that settled the job.
void wake_waiters(DatabaseOid database, JobId job);

}  // namespace agent_queue::pg::shared
