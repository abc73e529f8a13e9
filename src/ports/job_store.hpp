// Port: where jobs live. Implemented by pg/store (SPI) and by test/sim's fake; both pass the same conformance suite.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/catalog/catalog.hpp"
#include "core/job/job.hpp"

namespace agent_queue {

// What has come of the text of a streamed answer since the part before: text so far, for who wants to read along.
struct StreamPart {
  JobId id;
  WallTime started_at;     // the attempt's; with it parts of different attempts are never mixed
  int number = 1;          // 1 is the attempt's first
  std::string text;        // clean UTF-8, not empty
  std::int64_t chars = 0;  // of all parts of the attempt up to this one
  bool is_told = false;    // listeners hear of it
};

// One short transaction: settle these, store those parts, then claim up to that many.
struct Round {
  std::span<const Settlement> settlements;
  std::span<const StreamPart> parts;  // one per job at most, and of none that is settled here
  int claim_limit = 0;
};

enum class SettleFate {
  settled,
  orphaned,  // the job was deleted or is no longer ours; its usage was written
  kept,      // somebody else has the row locked: nothing was written, give it again later
};

struct RoundReport {
  std::vector<SettleFate> fates;    // one per settlement, in order
  std::vector<ClaimedJob> claimed;  // at most claim_limit, none expired
  bool more_waiting = false;        // the claim stopped at its limit
};

enum class StoreTrouble {
  busy,        // serialization, resources: the same again later may work
  blocked,     // a lock was not granted in time: the same again later may work, or one row is in the way of all
  unstorable,  // some row of this round cannot be written: find out which
  gone,        // the extension's tables are not there any more
};

struct StoreFailure {
  StoreTrouble trouble = StoreTrouble::busy;
  std::string message;
};

struct RoundResult {
  std::optional<StoreFailure> failure;  // set: nothing of the round happened
  RoundReport report;
};

inline constexpr int kRescueBatch = 500;

class JobStore {
 public:
  virtual ~JobStore() = default;

  // All or nothing; on failure nothing was written. A claimed job is durably ours when this returns.
  // Jobs that are found expired are settled as failed/expired inside the round and not returned.
  // Parts of jobs that are not ours any more are left out, silently. A settlement with has_parts removes its job's
  // parts, whatever its fate but `kept`.
  virtual RoundResult round(const Round &round, Now now) = 0;

  // Takes over a batch of what a dead worker had under way: jobs, and attempts whose jobs were deleted or cancelled
  // meanwhile. They are claimed by this worker now (durably, started_at as it was) and come back to be concluded and
  // settled like any other; parts of attempts that are not under way any more are removed. Fewer than kRescueBatch:
  // there are no more. nullopt: could not be done now.
  virtual std::optional<std::vector<ClaimedJob>> rescue(Now now) = 0;

  // Scheduled jobs whose run_at has come become pending. Returns their number; nullopt: could not be done now.
  virtual std::optional<int> promote_due(Now now) = 0;

  // The earliest run_at among scheduled jobs as far as known: exact after promote_due(), lowered by each settled retry
  // and by a commit's hint. nullopt: none.
  virtual std::optional<WallTime> next_due() const = 0;

  // Cheap, no transaction: may there be jobs to claim? Never false while a committed job waits longer than the poll.
  virtual bool work_hinted() = 0;

  // Cheap, no transaction: did a worker die since the last rescue() that found nothing (more) to take over? Stays true
  // while rows of the dead were passed over because somebody else has them locked.
  virtual bool rescue_hinted() = 0;

  // Cheap, no transaction: was a job cancelled while this worker held it, since the last take_cancelled()?
  virtual bool cancel_hinted() = 0;

  // Those of `calls` whose jobs were cancelled since it was last asked, by their place in `calls`. No transaction, but
  // where more were cancelled at once than can be told one by one. One that is not told (a two-phase commit, a look
  // that failed) is no harm: the settle of its call finds it orphaned.
  virtual std::vector<std::size_t> take_cancelled(std::span<const AttemptId> calls, Now now) = 0;

  // The configuration as of the last round or rescue. Never null after one of them succeeded.
  virtual std::shared_ptr<const Catalog> catalog() = 0;
};

}  // namespace agent_queue
