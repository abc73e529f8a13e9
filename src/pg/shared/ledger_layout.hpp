// The ledger's memory: a hash table of accounts in fixed shared memory, by chains of indexes. All functions are called
// with the ledger's lock held. Include after pg/pg.hpp; only the ledger's files do.
#pragma once

#include "pg/shared/ledger.hpp"

namespace agent_queue::pg::shared {

inline constexpr int kReportsMax = 64;  // alerts that wait for a worker to write them

struct LedgerEntry {
  Oid database;  // InvalidOid: free
  Scope scope;
  std::array<uint8, 16> subject;
  uint32 version;  // counts up when the entry is given to another account
  int32 next;      // in the chain of its bucket or of the free ones; -1: the last
  alignas(16) Account account;
};

enum class LedgerState : int { absent, loading, ready };

struct DatabaseLedger {
  Oid database;  // InvalidOid: free
  Oid extension;
  LedgerState state;
  int loader_pid;
  Windows windows;
  int report_count;
  alignas(16) Alert reports[kReportsMax];
};

struct LedgerMemory {
  LWLock *lock;
  ConditionVariableMinimallyPadded changed;  // a ledger has become ready, or was abandoned
  int capacity;
  int bucket_count;  // a power of two
  int free_head;
  int free_count;
  TimestampTz swept_at;
  DatabaseLedger databases[kDatabasesMax];
  // then int32[bucket_count], then LedgerEntry[capacity]
};

extern LedgerMemory *ledger;

// In the postmaster: asks for the memory; makes it or finds it.
void request_ledger(int users);
void start_ledger(LWLock *lock);

LedgerEntry &ledger_entry(int index);
// nullptr: there is none; with `make`: there is no room.
DatabaseLedger *find_database_ledger(Oid database, bool make);

// Before accounts are looked for, so that none of them goes while they are in use: sees to it that there is room for so
// many new ones, if that can be.
void make_room(int accounts);

// The index of the account; -1: there is none; with `make`: there is no room.
int find_account(Oid database, Scope scope, const std::array<uint8, 16> &subject, bool make);
// Frees all accounts of the database.
void clear_accounts(Oid database);

}  // namespace agent_queue::pg::shared
