// POD only.
#include "pg/shared/databases.hpp"

#include "pg/shared/workers.hpp"

#include "pg/pg.hpp"

#include "pg/shared/layout.hpp"

namespace agent_queue::pg::shared {

static DatabaseSlot *slot_of(DatabaseOid oid) {
  for (DatabaseSlot &slot : state->databases)
    if (slot.oid == oid) return &slot;
  return nullptr;
}

static DatabaseView view_of(const DatabaseSlot &slot) {
  DatabaseView view;
  view.oid = slot.oid;
  view.presence = static_cast<Presence>(slot.presence);
  view.blocker_pid = slot.blocker_pid;
  view.wanted_workers = slot.wanted_workers;
  return view;
}

// The caller holds the lock.
static DatabaseSlot *slot_or_new(DatabaseOid oid) {
  if (DatabaseSlot *known = slot_of(oid)) return known;
  DatabaseSlot *fresh = slot_of(InvalidOid);
  if (fresh == nullptr) return nullptr;
  fresh->presence = static_cast<int>(Presence::unknown);
  fresh->is_disowned = false;
  fresh->blocker_pid = 0;
  fresh->wanted_workers = 0;
  fresh->calm_since = 0;
  fresh->oid = oid;
  return fresh;
}

int list_databases(DatabaseView *views, int capacity) {
  int count = 0;
  LWLockAcquire(state->lock, LW_SHARED);
  for (const DatabaseSlot &slot : state->databases)
    if (slot.oid != InvalidOid && count < capacity) views[count++] = view_of(slot);
  LWLockRelease(state->lock);
  return count;
}

DatabaseView find_database(DatabaseOid oid) {
  LWLockAcquire(state->lock, LW_SHARED);
  const DatabaseSlot *slot = slot_of(oid);
  const DatabaseView view = slot == nullptr ? DatabaseView{} : view_of(*slot);
  LWLockRelease(state->lock);
  return view;
}

bool set_presence(DatabaseOid oid, Presence presence) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  DatabaseSlot *slot = slot_or_new(oid);
  if (slot != nullptr) slot->presence = static_cast<int>(presence);
  LWLockRelease(state->lock);
  return slot != nullptr;
}

void set_wanted_workers(DatabaseOid oid, int count) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  if (DatabaseSlot *slot = slot_of(oid)) slot->wanted_workers = count;
  LWLockRelease(state->lock);
}

void forget_database(DatabaseOid oid) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  if (DatabaseSlot *slot = slot_of(oid)) slot->oid = InvalidOid;
  LWLockRelease(state->lock);
}

void block_database(DatabaseOid oid, int pid) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  if (DatabaseSlot *slot = pid == 0 ? slot_of(oid) : slot_or_new(oid)) slot->blocker_pid = pid;
  LWLockRelease(state->lock);
}

bool needs_disowning(DatabaseOid oid) {
  LWLockAcquire(state->lock, LW_SHARED);
  const DatabaseSlot *slot = slot_of(oid);
  const bool is_needed = state->is_recovered && slot != nullptr && !slot->is_disowned;
  LWLockRelease(state->lock);
  return is_needed;
}

void note_disowned(DatabaseOid oid) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  if (DatabaseSlot *slot = slot_of(oid)) slot->is_disowned = true;
  LWLockRelease(state->lock);
}

static void wake_proc(int proc_number) {
  if (proc_number >= 0) SetLatch(&GetPGProcByNumber(proc_number)->procLatch);
}

void call_launcher() {
  pg_atomic_write_u32(&state->launcher_request, 1);
  pg_memory_barrier();
  wake_proc(state->launcher_proc_number);
}

void register_launcher() {
  state->launcher_proc_number = AQ_MY_PROC_NUMBER;
  pg_memory_barrier();
}

bool take_launcher_request() {
  return pg_atomic_exchange_u32(&state->launcher_request, 0) != 0;
}

// Slots of living databases do not move, so the atomics are read without the lock.
std::uint64_t work_generation(DatabaseOid oid) {
  DatabaseSlot *slot = slot_of(oid);
  return slot == nullptr ? 0 : pg_atomic_read_u64(&slot->work_generation);
}

std::uint64_t rescue_generation(DatabaseOid oid) {
  DatabaseSlot *slot = slot_of(oid);
  return slot == nullptr ? 0 : pg_atomic_read_u64(&slot->rescue_generation);
}

void count_rescue_needed(DatabaseOid oid) {
  if (DatabaseSlot *slot = slot_of(oid)) pg_atomic_fetch_add_u64(&slot->rescue_generation, 1);
}

// Times are positive (after 2000) or clamped to 0, so the unsigned order is theirs.
void offer_due(DatabaseOid oid, std::int64_t run_at) {
  DatabaseSlot *slot = slot_of(oid);
  if (slot == nullptr) return;
  const uint64 offered = run_at < 0 ? 0 : static_cast<uint64>(run_at);
  uint64 current = pg_atomic_read_u64(&slot->due_low);
  while (offered < current && !pg_atomic_compare_exchange_u64(&slot->due_low, &current, offered)) {
  }
}

std::int64_t peek_due(DatabaseOid oid) {
  DatabaseSlot *slot = slot_of(oid);
  return slot == nullptr ? kNothingDue : static_cast<std::int64_t>(pg_atomic_read_u64(&slot->due_low));
}

void take_due(DatabaseOid oid) {
  if (DatabaseSlot *slot = slot_of(oid)) pg_atomic_write_u64(&slot->due_low, static_cast<uint64>(kNothingDue));
}

// Exactly one worker is woken: the compare-and-exchange makes it nobody else's.
void announce_work(DatabaseOid oid) {
  DatabaseSlot *database = slot_of(oid);
  if (database == nullptr) return;
  pg_atomic_fetch_add_u64(&database->work_generation, 1);
  for (WorkerSlot &worker : state->workers) {
    if (worker.database != oid) continue;
    uint32 idle = 1;
    if (!pg_atomic_compare_exchange_u32(&worker.is_idle, &idle, 0)) continue;
    pg_atomic_fetch_add_u64(&worker.wakeups, 1);
    pg_atomic_fetch_add_u64(&database->wakeups, 1);
    wake_proc(worker.proc_number);
    return;
  }
}

void announce_change(DatabaseOid oid) {
  if (DatabaseSlot *database = slot_of(oid)) pg_atomic_fetch_add_u64(&database->work_generation, 1);
  wake_workers(oid);
}

}  // namespace agent_queue::pg::shared
