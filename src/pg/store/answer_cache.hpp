// The response cache as a worker uses it: what a claim finds stored is completed without a call, equal jobs are called
// once, good answers are stored, and who followed is completed by them. One per worker.
//
// Of the running transaction: on_commit() or on_abort() says how it has ended. The order of looking is what makes one
// call of many: a claim takes the lead first and looks for an answer afterwards, with a younger snapshot; a settle
// stores the answer first and gives the lead up afterwards. Regime: guarded C++. Tested in sql/cache.sql and
// test/tap/400_cache.pl.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/cache/cache_key.hpp"
#include "core/catalog/catalog.hpp"
#include "core/job/job.hpp"
#include "pg/shared/leaders.hpp"
#include "pg/shared/workers.hpp"
#include "pg/store/ended_job.hpp"
#include "pg/store/follower_keeper.hpp"
#include "pg/store/job_rows.hpp"
#include "pg/store/rows_plan.hpp"
#include "ports/job_store.hpp"

namespace agent_queue::pg {

class AnswerCache {
 public:
  AnswerCache(shared::WorkerSeat seat, ClaimToken claim)
      : database_(seat.database), claim_(claim), followers_(seat.database) {}

  // First of all in each transaction of the store.
  void open(const Installation &where);

  // ---- the claim: rows that it has locked

  enum class Verdict {
    call,
    served,   // completed by a stored answer
    follows,  // an equal job is being called: to be parked until then
  };
  struct Consulted {
    Verdict verdict = Verdict::call;
    WallTime until;  // follows
  };
  // One per row, in order. Those that are served are completed by this. Throws PgError.
  std::vector<Consulted> consult(const Catalog &catalog, std::span<JobRow *const> rows, Now now,
                                 std::vector<EndedJob> &ended);
  // It was to be called and is not after all.
  void resign(JobId job);
  // It is called: which attempt this is.
  void begin(JobId job, WallTime started_at);
  // A job of a dead worker, now this worker's.
  void adopt(const Catalog &catalog, const ClaimedJob &job, const std::optional<JobCacheKey> &key, Now now);

  // ---- the settle

  // Failures of the provider for which a stale answer may stand in: those jobs are completed by it. True by their
  // place. Throws PgError.
  std::vector<bool> stand_in(const Catalog &catalog, std::span<const Settlement> settlements, Now now,
                             std::vector<EndedJob> &ended);
  // Good answers of jobs that have been settled are stored. Throws PgError.
  void store(const Catalog &catalog, std::span<const Settlement> settlements, const std::vector<SettleFate> &fates,
             Now now);

  void on_commit(std::span<const Settlement> settlements, const std::vector<SettleFate> &fates);
  void on_abort();

  // ---- followers of leads that have ended

  bool has_followers_to_finish() const { return followers_.has_work(); }
  bool has_lead_ends() const { return followers_.has_ends(); }
  // In a transaction: completes a batch of them, or makes the oldest of a key pending where no answer was stored; and
  // once after a start of the server makes all pending. Returns how much was done; 0: nothing. Throws PgError.
  int finish_followers(Now now, std::vector<EndedJob> &ended);
  // Instead of the other on_commit().
  void on_followers_commit();
  // After a failure that a row may be to blame for, and on_abort(): those followers are left to themselves.
  void give_up_followers() { followers_.give_up(); }

 private:
  struct Statements {
    explicit Statements(const Installation &where);
    RowsPlan serve;
    RowsPlan served_usage;
    RowsPlan store_answers;
    KeptPlan locked_keys;
  };
  // A job with a key that this worker has claimed.
  struct Call {
    JobCacheKey key;
    std::string agent_type;
    std::string store_key;
    std::optional<UserId> user;   // of the job
    std::optional<UserId> owner;  // of the answer; empty: everybody
    int attempt = 1;
    std::string dependencies;  // a JSON array; empty: none
    std::string request;       // kept where the answer may be refreshed; else empty
    WallTime until;
    WallTime started_at;  // of the attempt
    bool leads = false;
  };
  // How a lead has ended.
  struct End {
    enum class Kind { stored, failed, not_stored } kind = Kind::failed;
    WallTime usable_since;  // of the answer that is there; failed: none
  };
  struct Serving {
    JobId job;
    std::string_view status;  // of the row now
    bool is_ours = false;     // claimed by this worker
    std::string key;
    WallTime usable_since;
    std::optional<UserId> user;
    std::string agent_type;
    int attempt = 1;
    const Settlement *failed = nullptr;  // the attempt that it stands in for
  };

  static std::optional<Call> make_call(const Catalog &catalog, const ClaimedJob &job,
                                       const std::optional<JobCacheKey> &key, Now now);
  // Completes those whose answer is stored; true for them.
  std::vector<bool> serve(std::span<const Serving> servings, Now now, std::vector<EndedJob> &ended);
  Leaders::Lead take_lead(JobId job, Call call, Now now);
  Call *call_of(const Settlement &settlement);
  std::unordered_set<std::string> locked_keys(const std::vector<std::string> &keys);
  void note_followed(const Catalog &catalog, const JobRow &row, WallTime until, Now now);
  void write_answers(const Catalog &catalog,
                     const std::map<std::string, std::pair<const Settlement *, const Call *>> &answers, Now now);
  End end_of(const Settlement &settlement, SettleFate fate) const;
  void forget(JobId job, const End &end);
  void clear();

  shared::DatabaseOid database_;
  ClaimToken claim_;
  FollowerKeeper followers_;
  std::unique_ptr<Statements> statements_;
  unsigned int statements_of_ = 0;
  std::string statements_in_;
  std::unordered_map<std::int64_t, Call> calls_;  // by job
  // Of the running transaction:
  std::vector<std::int64_t> begun_;
  std::vector<std::int64_t> resigned_;
  std::vector<LeadEnd> followed_;
  std::vector<std::int64_t> stored_;                     // jobs whose answer is there now
  std::unordered_map<std::int64_t, WallTime> stood_in_;  // jobs with a stale one, and since when it was usable
  WallTime consulted_at_;
  std::deque<std::string> results_;  // that ended jobs point into
};

}  // namespace agent_queue::pg
