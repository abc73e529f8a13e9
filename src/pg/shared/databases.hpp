// What all processes know of each database: is the extension there, is somebody about to drop it, is there work.
// All functions are plain: no exceptions, no Postgres errors; safe in commit callbacks.
#pragma once

#include <cstdint>

namespace agent_queue::pg::shared {

using DatabaseOid = unsigned int;

// Databases in the table at a time. It fills with those that have the extension: the others make room.
inline constexpr int kDatabasesMax = 128;

// Of the extension, as far as is known. unreachable: the last probe could not look; another one will.
enum class Presence { unknown, probing, absent, present, unreachable };

struct DatabaseView {
  DatabaseOid oid = 0;
  Presence presence = Presence::unknown;
  int blocker_pid = 0;
  int wanted_workers = 0;
};

// Copies up to `capacity` known databases to `views`; returns how many.
int list_databases(DatabaseView *views, int capacity);
DatabaseView find_database(DatabaseOid oid);

// Makes the slot if there is none, in place of a database without the extension if need be. False: the table is full of
// databases that have it, and the launcher will hear of it.
bool set_presence(DatabaseOid oid, Presence presence);
// For the launcher: makes a slot whose presence is unknown. False: the table is full.
bool add_database(DatabaseOid oid);
// What a probe came to: absent, present or unreachable. Nothing happens unless the presence is `probing`: who made it
// unknown again meanwhile knows more than the probe has seen.
void conclude_probe(DatabaseOid oid, Presence result);
void set_wanted_workers(DatabaseOid oid, int count);
void forget_database(DatabaseOid oid);

// A backend is about to drop, rename, move or copy the database: workers end and do not come back until it is unblocked
// or that backend is gone. `pid` 0 unblocks.
void block_database(DatabaseOid oid, int pid);

// The server was started to recover to a point in time (recovery.signal was there), this database came with the backup
// and nobody has taken note of it there yet: its jobs may be running where the backup came from. What is made after the
// recovery is at home: databases that the launcher's first listing has not found, and those that a probe has found
// without the extension.
bool needs_disowning(DatabaseOid oid);
void note_disowned(DatabaseOid oid);
// For the launcher: the first listing since the server started is yet to be made; these are the databases that it has
// found. Returns how many of them could not be noted.
bool is_first_listing_due();
int note_first_listing(const DatabaseOid *oids, int count);

// Asks the launcher to look at everything again, and wakes it.
void call_launcher();
// For the launcher: registers itself; takes the request, if there was one.
void register_launcher();
bool take_launcher_request();
// For the launcher: has set_presence() found the table full since this was last asked?
bool take_slot_refusal();

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
std::int64_t take_due(DatabaseOid oid);

// True once for each database and start of the server: jobs that wait for the end of an equal one wait for leaders that
// nobody knows any more.
bool take_old_followers(DatabaseOid oid);
// They could not be looked for after all.
void leave_old_followers(DatabaseOid oid);

// One worker of a database promotes at a time. A second one, whose snapshot is older, would lock what the first has
// just made pending, find that it is not scheduled any more, and hold the lock till its transaction ends: a claim
// passes over the locked row meanwhile, and nothing would tell of it again. From before the transaction to after its
// end.
bool begin_promotion(DatabaseOid oid, int worker_slot);
void end_promotion(DatabaseOid oid, int worker_slot);

}  // namespace agent_queue::pg::shared
