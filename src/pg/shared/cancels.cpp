// POD only.
#include "pg/shared/cancels.hpp"

#include "pg/pg.hpp"

#include "pg/shared/layout.hpp"

namespace agent_queue::pg::shared {

// The caller holds the lock.
static int slot_of(ClaimToken claim) {
  if (claim.epoch != state->boot_epoch) return -1;
  for (int i = 0; i < kWorkersMax; ++i) {
    const WorkerSlot &worker = state->workers[i];
    if (worker.database != InvalidOid && worker.pid != 0 && worker.incarnation == claim.incarnation) return i;
  }
  return -1;
}

// The latch is set under the lock: the slot is still this worker's.
void report_cancel(ClaimToken claim, const CancelledCall &call) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  if (const int slot = slot_of(claim); slot >= 0) {
    WorkerSlot &worker = state->workers[slot];
    const uint32 count = pg_atomic_read_u32(&worker.cancel_count);
    if (count < kCancelsMax) worker.cancels[count] = call;
    if (count <= kCancelsMax) pg_atomic_write_u32(&worker.cancel_count, count + 1);
    SetLatch(&GetPGProcByNumber(worker.proc_number)->procLatch);
  }
  LWLockRelease(state->lock);
}

bool is_cancel_reported(int slot) {
  return pg_atomic_read_u32(&state->workers[slot].cancel_count) != 0;
}

CancelReport take_cancels(int slot, CancelledCall *calls) {
  CancelReport report;
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  WorkerSlot &worker = state->workers[slot];
  const auto count = static_cast<int>(pg_atomic_exchange_u32(&worker.cancel_count, 0));
  report.is_whole = count <= kCancelsMax;
  report.count = report.is_whole ? count : kCancelsMax;
  for (int i = 0; i < report.count; ++i) calls[i] = worker.cancels[i];
  LWLockRelease(state->lock);
  return report;
}

}  // namespace agent_queue::pg::shared
