// Jobs that follow others (wait_reason coalesced): what becomes of them when their leader has ended. One per worker.
// Regime: guarded C++. The transactions are the store's.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/cache/cache_key.hpp"
#include "pg/shared/databases.hpp"
#include "pg/store/job_rows.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/spi.hpp"

namespace agent_queue::pg {

// A lead that has ended: its followers wait with this key and until this time.
struct LeadEnd {
  JobCacheKey key;
  std::string store_key;
  WallTime until;
  WallTime usable_since;       // an answer that was not stale then is theirs
  bool has_no_answer = false;  // one that is not to be stored: each of them calls for himself
};

struct Follower {
  JobId job;
  std::optional<UserId> user;
  std::string agent_type;
  int attempt = 1;
};

class FollowerKeeper {
 public:
  explicit FollowerKeeper(shared::DatabaseOid database) : database_(database) {}

  void open(const Installation &where);
  void add(LeadEnd end) { ends_.push_back(std::move(end)); }
  bool has_ends() const { return !ends_.empty(); }
  // Ends, or the look after a start of the server.
  bool has_work() const { return !has_looked_ || has_ends(); }
  const LeadEnd &first() const { return ends_.front(); }

  static constexpr int kBatch = 500;

  // In a transaction; all throw PgError.
  // Those that follow the first lead, at most kBatch.
  std::vector<Follower> find();
  // No answer is stored: the oldest becomes pending, to lead in its turn; or a batch of them, each to call for itself.
  // Returns how many.
  int promote();
  // Once after each start of the server: of followers of before nobody knows whom they follow.
  void release_old();

  // The followers of the first lead have been dealt with, when the transaction commits.
  void finish() { is_finished_ = true; }
  void on_commit();
  void on_abort();
  // After a failure that some row is to blame for: these followers are left to themselves; their time comes.
  void give_up();

 private:
  struct Statements {
    explicit Statements(const Installation &where);
    KeptPlan followers;
    KeptPlan promote;
    KeptPlan release;
  };

  shared::DatabaseOid database_;
  std::unique_ptr<Statements> statements_;
  unsigned int statements_of_ = 0;
  std::string statements_in_;
  std::deque<LeadEnd> ends_;
  bool has_looked_ = false;
  // Of the running transaction:
  bool is_finished_ = false;
  bool has_taken_old_ = false;
  std::vector<LaneKey> woken_;
};

}  // namespace agent_queue::pg
