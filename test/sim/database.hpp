// What the workers share: the committed tables, other sessions' row locks, who is alive, and the hints. Each commit is
// held against the legal transitions of a job. Virtual time is set from outside before anything happens.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "core/job/job.hpp"
#include "sim/call_ledger.hpp"
#include "sim/random.hpp"
#include "sim/stream_texts.hpp"

namespace agent_queue::sim {

enum class JobStatus { pending, scheduled, processing, completed, failed };
const char *job_status_name(JobStatus status);

struct JobRow {
  JobId id;
  std::string agent_type;
  std::string request;
  std::int64_t claim_key = 0;
  JobStatus status = JobStatus::pending;
  std::string result;
  std::optional<JobErrorCode> error_code;
  std::string error_message;
  int retry_count = 0;
  int max_retries = 3;
  WallTime created_at;
  WallTime run_at;
  std::optional<WallTime> expires_at;
  WallTime started_at;
  std::optional<ClaimToken> claim;
  int life = 0;  // how often retry_agent() has made it run again

  AttemptKey attempt() const { return {id.value, retry_count + 1, life}; }

  bool is_ended() const { return status == JobStatus::completed || status == JobStatus::failed; }
};

struct UsageRow {
  AttemptKey key;
  UsageRecord record;
};

class Database {
 public:
  Database(Random &random, Problems &problems, CallLedger &ledger)
      : random_(random), problems_(problems), ledger_(ledger), texts_(problems) {}

  Now now;
  std::shared_ptr<const Catalog> catalog;
  std::uint64_t epoch = 1;
  std::uint64_t version = 0;        // counts the commits that changed something
  std::set<std::int64_t> poisoned;  // jobs whose result cannot be stored
  std::set<std::int64_t> hopeless;  // those of them of which nothing at all can be stored for now

  CallLedger &ledger() { return ledger_; }
  StreamTexts &texts() { return texts_; }
  Problems &problems() { return problems_; }
  const std::map<std::int64_t, JobRow> &jobs() const { return jobs_; }
  // Attempts that are under way and whose jobs were deleted or cancelled: the rows as they were.
  using Orphans = std::map<std::pair<std::int64_t, WallTime>, JobRow>;
  const Orphans &orphans() const { return orphans_; }
  const std::map<AttemptKey, UsageRecord> &usage() const { return usage_; }
  const JobRow *find(JobId id) const;

  // What users do, each in a transaction of its own.
  JobId enqueue(JobRow row, Micros delay);
  bool remove(JobId id);  // false: there is none, or its row is locked
  bool cancel(JobId id);
  bool retry(JobId id);  // false: it has not failed, or its row is locked
  void lock(JobId id, SteadyTime until) { locks_[id.value] = until; }
  bool is_locked(JobId id) const;
  void unlock_all() { locks_.clear(); }

  // One transaction of a worker.
  void commit(const std::map<std::int64_t, JobRow> &rows, const std::vector<UsageRow> &usage);

  // Parts of such a transaction.
  void adopt_orphan(const AttemptId &attempt, const ClaimToken &claim);
  void forget_orphan(const AttemptId &attempt);

  // In which life of its job an attempt was started.
  void note_claim(const JobRow &row) { lives_[{row.id.value, row.started_at}] = row.life; }
  int life_of(const AttemptId &attempt) const { return lives_.at({attempt.job.value, attempt.started_at}); }

  // Which attempts of a worker were cancelled; sometimes nobody tells.
  bool is_cancel_hinted(std::uint64_t incarnation) const;
  std::vector<AttemptId> take_cancels(std::uint64_t incarnation);

  // Workers come and go. A death is noticed a little later.
  ClaimToken admit();
  void bury(ClaimToken claim);
  void crash_server();
  bool is_alive(const ClaimToken &claim) const;
  bool is_death_known() const;
  // After a rescue; what it had to skip keeps the hint.
  void forget_deaths(bool is_all_rescued);

  // A commit with new pending jobs wakes one worker, some time later. Never lost: the dead worker's hint goes on.
  bool is_hinted(std::uint64_t incarnation) const;
  void clear_hint(std::uint64_t incarnation) { hints_.erase(incarnation); }
  // A latch is set once: only what becomes visible after `after` wakes.
  std::optional<SteadyTime> next_wake(std::uint64_t incarnation, SteadyTime after) const;

 private:
  void hint();
  void check_transition(const JobRow *before, const JobRow &after);

  Random &random_;
  Problems &problems_;
  CallLedger &ledger_;
  StreamTexts texts_;
  std::map<std::int64_t, JobRow> jobs_;
  Orphans orphans_;
  std::map<AttemptKey, UsageRecord> usage_;
  std::map<std::int64_t, SteadyTime> locks_;
  std::set<std::uint64_t> alive_;
  std::map<std::uint64_t, SteadyTime> hints_;  // incarnation → visible from
  std::vector<SteadyTime> deaths_;             // visible from
  struct Cancel {
    AttemptId attempt;
    SteadyTime at;  // visible from
  };
  std::map<std::uint64_t, std::vector<Cancel>> cancels_;  // by incarnation
  std::map<std::pair<std::int64_t, WallTime>, int> lives_;
  std::int64_t next_id_ = 1;
  std::uint64_t next_incarnation_ = 1;
};

}  // namespace agent_queue::sim
