// What all processes know of each database: is the extension there, is somebody about to drop it, is there work.
// All functions are plain: no exceptions, no Postgres errors; safe in commit callbacks.
#pragma once

#include <cstdint>

namespace agent_queue::pg::shared {

using DatabaseOid = unsigned int;

enum class Presence { unknown, probing, absent, present };

struct DatabaseView {
  DatabaseOid oid = 0;
  Presence presence = Presence::unknown;
  int blocker_pid = 0;
  int wanted_workers = 0;
};

// Copies up to `capacity` known databases to `views`; returns how many.
int list_databases(DatabaseView *views, int capacity);
DatabaseView find_database(DatabaseOid oid);

// Makes the slot if there is none. False: the table is full.
bool set_presence(DatabaseOid oid, Presence presence);
void set_wanted_workers(DatabaseOid oid, int count);
void forget_database(DatabaseOid oid);

// A backend is about to drop, rename, move or copy the database: workers end and do not come back until it is unblocked
// or that backend is gone. `pid` 0 unblocks.
void block_database(DatabaseOid oid, int pid);

// The server was started to recover to a point in time (recovery.signal was there) and nobody has taken note of it in
// this database yet: its jobs may be running where the backup came from.
bool needs_disowning(DatabaseOid oid);
void note_disowned(DatabaseOid oid);

// Asks the launcher to look at everything again, and wakes it.
void call_launcher();
// For the launcher: registers itself; takes the request, if there was one.
void register_launcher();
bool take_launcher_request();

// Commits that brought jobs to the database count up; a worker that saw the number has seen their jobs.
std::uint64_t work_generation(DatabaseOid oid);
// Workers that ended count up: somebody has to look after what they held.
std::uint64_t rescue_generation(DatabaseOid oid);
void count_rescue_needed(DatabaseOid oid);

// At the end of a transaction that brought jobs: counts up and wakes ONE idle worker, if there is one.
void announce_work(DatabaseOid oid);
// The same to all workers, at work or not: the configuration changed, jobs were adopted, the extension was dropped.
// They look at once, and a look begins a transaction, which takes in what changed.
void announce_change(DatabaseOid oid);

// The earliest run_at (TimestampTz) of scheduled jobs that commits have brought since it was last taken.
inline constexpr std::int64_t kNothingDue = INT64_MAX;
void offer_due(DatabaseOid oid, std::int64_t run_at);
std::int64_t peek_due(DatabaseOid oid);
void take_due(DatabaseOid oid);

}  // namespace agent_queue::pg::shared
