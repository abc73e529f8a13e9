// POD only.
#include "pg/shared/waiters.hpp"

#include "pg/pg.hpp"

#include "pg/shared/layout.hpp"

namespace agent_queue::pg::shared {

static ConditionVariable *channel_of(DatabaseOid database, JobId job) {
  const uint64 mixed = (static_cast<uint64>(job.value) + database) * UINT64CONST(0x9E3779B97F4A7C15);
  return &state->wait_channels[mixed >> 54].cv;
}
static_assert(kWaitChannels == 1 << (64 - 54));

void prepare_wait(DatabaseOid database, JobId job) {
  ConditionVariablePrepareToSleep(channel_of(database, job));
}

bool wait_settled(DatabaseOid database, JobId job, long timeout_ms) {
  return !ConditionVariableTimedSleep(channel_of(database, job), timeout_ms, PG_WAIT_EXTENSION);
}

void cancel_wait() {
  ConditionVariableCancelSleep();
}

void wake_waiters(DatabaseOid database, JobId job) {
  ConditionVariableBroadcast(channel_of(database, job));
}

}  // namespace agent_queue::pg::shared
