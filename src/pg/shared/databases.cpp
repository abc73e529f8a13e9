// POD only.
#include "pg/shared/databases.hpp"

#include <initializer_list>

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

static bool has_workers(DatabaseOid oid) {
  for (const WorkerSlot &worker : state->workers)
    if (worker.database == oid) return true;
  return false;
}

// One that nobody works with: without the extension, or else out of reach. The caller holds the lock.
static DatabaseSlot *slot_to_evict() {
  for (const Presence presence : {Presence::absent, Presence::unreachable})
    for (DatabaseSlot &slot : state->databases)
      if (slot.presence == static_cast<int>(presence) && slot.blocker_pid == 0 && !has_workers(slot.oid)) return &slot;
  return nullptr;
}

// The caller holds the lock.
static DatabaseSlot *slot_or_new(DatabaseOid oid) {
  if (DatabaseSlot *known = slot_of(oid)) return known;
  DatabaseSlot *fresh = slot_of(InvalidOid);
  if (fresh == nullptr) fresh = slot_to_evict();
  if (fresh == nullptr) return nullptr;
  fresh->presence = static_cast<int>(Presence::unknown);
  fresh->blocker_pid = 0;
  fresh->wanted_workers = 0;
  pg_atomic_write_u32(&fresh->has_released_followers, 0);
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
  if (slot == nullptr) pg_atomic_write_u32(&state->is_slot_refused, 1);
  return slot != nullptr;
}

bool add_database(DatabaseOid oid) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  const bool has_slot = slot_or_new(oid) != nullptr;
  LWLockRelease(state->lock);
  return has_slot;
}

// The caller holds the lock.
static void strike_recovered(DatabaseOid oid) {
  for (int i = 0; i < state->recovered_count; ++i) {
    if (state->recovered[i] != oid) continue;
    state->recovered[i] = state->recovered[--state->recovered_count];
    return;
  }
}

void conclude_probe(DatabaseOid oid, Presence result) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  DatabaseSlot *slot = slot_of(oid);
  if (slot != nullptr && slot->presence == static_cast<int>(Presence::probing)) {
    slot->presence = static_cast<int>(result);
    if (result == Presence::absent) strike_recovered(oid);  // an extension that comes now was not in the backup
  }
  LWLockRelease(state->lock);
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
  bool is_needed = false;
  for (int i = 0; i < state->recovered_count; ++i) is_needed = is_needed || state->recovered[i] == oid;
  LWLockRelease(state->lock);
  return is_needed;
}

void note_disowned(DatabaseOid oid) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  strike_recovered(oid);
  LWLockRelease(state->lock);
}

bool is_first_listing_due() {
  return !state->is_first_listing_done;  // only the launcher writes it
}

int note_first_listing(const DatabaseOid *oids, int count) {
  LWLockAcquire(state->lock, LW_EXCLUSIVE);
  const int noted = !state->is_recovered ? 0 : count < kRecoveredMax ? count : kRecoveredMax;
  for (int i = 0; i < noted; ++i) state->recovered[i] = oids[i];
  state->recovered_count = noted;
  state->is_first_listing_done = true;
  LWLockRelease(state->lock);
  return state->is_recovered ? count - noted : 0;
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

bool take_slot_refusal() {
  return pg_atomic_exchange_u32(&state->is_slot_refused, 0) != 0;
}

// Slots of databases with the extension do not move, so the atomics are read without the lock.
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

std::int64_t take_due(DatabaseOid oid) {
  DatabaseSlot *slot = slot_of(oid);
  if (slot == nullptr) return kNothingDue;
  return static_cast<std::int64_t>(pg_atomic_exchange_u64(&slot->due_low, static_cast<uint64>(kNothingDue)));
}

bool take_old_followers(DatabaseOid oid) {
  DatabaseSlot *slot = slot_of(oid);
  return slot != nullptr && pg_atomic_exchange_u32(&slot->has_released_followers, 1) == 0;
}

void leave_old_followers(DatabaseOid oid) {
  if (DatabaseSlot *slot = slot_of(oid)) pg_atomic_write_u32(&slot->has_released_followers, 0);
}

bool begin_promotion(DatabaseOid oid, int worker_slot) {
  DatabaseSlot *slot = slot_of(oid);
  uint32 nobody = 0;
  return slot != nullptr &&
         pg_atomic_compare_exchange_u32(&slot->promoter, &nobody, static_cast<uint32>(worker_slot) + 1);
}

void end_promotion(DatabaseOid oid, int worker_slot) {
  DatabaseSlot *slot = slot_of(oid);
  uint32 own = static_cast<uint32>(worker_slot) + 1;
  if (slot != nullptr) pg_atomic_compare_exchange_u32(&slot->promoter, &own, 0);
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
    wake_proc(worker.proc_number);
    return;
  }
}

void announce_change(DatabaseOid oid) {
  if (DatabaseSlot *database = slot_of(oid)) pg_atomic_fetch_add_u64(&database->work_generation, 1);
  wake_workers(oid);
}

}  // namespace agent_queue::pg::shared
