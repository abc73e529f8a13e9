// The ledger's memory. POD only.

#include <algorithm>
#include <cstring>

#include "pg/pg.hpp"

#include "pg/shared/layout.hpp"
#include "pg/shared/ledger_layout.hpp"

namespace agent_queue::pg::shared {

LedgerMemory *ledger = nullptr;

static int32 *buckets = nullptr;
static LedgerEntry *entries = nullptr;

// Beside the users: tiers and agent types.
static constexpr int kOtherAccounts = 1024;
static constexpr int64 kSweepInterval = INT64CONST(60'000'000);  // µs

static int tracked_users = 0;

static int capacity() {
  return tracked_users + kOtherAccounts;
}

static int bucket_count() {
  int count = 1024;
  while (count < capacity()) count *= 2;
  return count;
}

static Size head_size() {
  return TYPEALIGN(64, sizeof(LedgerMemory));
}

static Size buckets_size() {
  return TYPEALIGN(64, sizeof(int32) * static_cast<Size>(bucket_count()));
}

static Size memory_size() {
  return add_size(add_size(head_size(), buckets_size()), mul_size(sizeof(LedgerEntry), static_cast<Size>(capacity())));
}

void request_ledger(int users) {
  tracked_users = users;
  RequestAddinShmemSpace(memory_size());
}

static void make_all_free(LWLock *lock) {
  MemSet(static_cast<void *>(ledger), 0, sizeof(LedgerMemory));
  ledger->lock = lock;
  ConditionVariableInit(&ledger->changed.cv);
  ledger->capacity = capacity();
  ledger->bucket_count = bucket_count();
  std::fill_n(buckets, ledger->bucket_count, -1);
  for (int i = 0; i < ledger->capacity; ++i) {
    entries[i] = LedgerEntry{};
    entries[i].next = i + 1 < ledger->capacity ? i + 1 : -1;
  }
  ledger->free_head = 0;
  ledger->free_count = ledger->capacity;
}

void start_ledger(LWLock *lock) {
  bool found = false;
  // Accounts hold 128-bit numbers; the memory is aligned for cache lines.
  auto *memory = static_cast<char *>(ShmemInitStruct("agent_queue ledger", memory_size(), &found));
  ledger = reinterpret_cast<LedgerMemory *>(memory);
  buckets = reinterpret_cast<int32 *>(memory + head_size());
  entries = reinterpret_cast<LedgerEntry *>(memory + head_size() + buckets_size());
  if (!found) make_all_free(lock);
}

LedgerEntry &ledger_entry(int index) {
  return entries[index];
}

// The databases that the launcher knows; one that is gone from there was dropped. Read without its lock: who errs has a
// ledger made anew.
static bool is_known(Oid database) {
  for (const DatabaseSlot &slot : state->databases)
    if (slot.oid == database) return true;
  return false;
}

static DatabaseLedger *take_from_dropped() {
  for (DatabaseLedger &one : ledger->databases) {
    if (is_known(one.database)) continue;
    clear_accounts(one.database);
    return &one;
  }
  return nullptr;
}

DatabaseLedger *find_database_ledger(Oid database, bool make) {
  if (database == InvalidOid) return nullptr;
  DatabaseLedger *free_one = nullptr;
  for (DatabaseLedger &one : ledger->databases) {
    if (one.database == database) return &one;
    if (one.database == InvalidOid && free_one == nullptr) free_one = &one;
  }
  if (make && free_one == nullptr) free_one = take_from_dropped();
  if (!make || free_one == nullptr) return nullptr;
  *free_one = DatabaseLedger{};
  free_one->database = database;
  return free_one;
}

static int32 &bucket_of(Oid database, Scope scope, const std::array<uint8, 16> &subject) {
  uint64 halves[2];
  memcpy(halves, subject.data(), sizeof(halves));
  uint64 hash = halves[0] ^ (halves[1] * UINT64CONST(0x9E3779B97F4A7C15));
  hash = (hash + database + (static_cast<uint64>(scope) << 32)) * UINT64CONST(0xBF58476D1CE4E5B9);
  return buckets[(hash ^ hash >> 32) & static_cast<uint64>(ledger->bucket_count - 1)];
}

static void free_account(int index) {
  LedgerEntry &entry = entries[index];
  int32 *link = &bucket_of(entry.database, entry.scope, entry.subject);
  while (*link != index) link = &entries[*link].next;
  *link = entry.next;
  entry.database = InvalidOid;
  ++entry.version;
  entry.next = ledger->free_head;
  ledger->free_head = index;
  ++ledger->free_count;
}

// Nothing in it matters any more: nothing was counted in windows that still run, and nothing is under way.
static bool is_idle(const LedgerEntry &entry, const Windows &windows) {
  const Account &account = entry.account;
  if (account.in_flight > 0) return false;
  const bool has_spent = account.month.start >= windows.month_start && account.month.spent > Usd();
  const bool has_asked = account.day.start >= windows.day_start && account.requests > 0;
  return !has_spent && !has_asked;
}

// Once a minute at most: it looks at all accounts.
void make_room(int accounts) {
  if (ledger->free_count >= accounts) return;
  const TimestampTz now = GetCurrentTimestamp();
  if (now >= ledger->swept_at && now < ledger->swept_at + kSweepInterval) return;
  ledger->swept_at = now;
  for (int i = 0; i < ledger->capacity; ++i) {
    if (entries[i].database == InvalidOid) continue;
    const DatabaseLedger *of = find_database_ledger(entries[i].database, false);
    if (of == nullptr || is_idle(entries[i], of->windows)) free_account(i);
  }
}

int find_account(Oid database, Scope scope, const std::array<uint8, 16> &subject, bool make) {
  int32 &bucket = bucket_of(database, scope, subject);
  for (int32 i = bucket; i >= 0; i = entries[i].next)
    if (entries[i].database == database && entries[i].scope == scope && entries[i].subject == subject) return i;
  if (!make) return -1;
  const int32 index = ledger->free_head;
  if (index < 0) return -1;
  LedgerEntry &entry = entries[index];
  ledger->free_head = entry.next;
  --ledger->free_count;
  entry.database = database;
  entry.scope = scope;
  entry.subject = subject;
  entry.account = Account{};
  entry.next = bucket;
  bucket = index;
  return index;
}

void clear_accounts(Oid database) {
  for (int i = 0; i < ledger->capacity; ++i)
    if (entries[i].database == database) free_account(i);
}

}  // namespace agent_queue::pg::shared
