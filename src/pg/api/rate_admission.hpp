// Rate limits at admission: each new job is one request of its user at the endpoint of its agent type, one of the agent
// type as a whole and one of its queue as a whole. It is charged in all windows that have a limit, or refused and
// charged in none. Regime: guarded C++. Tested in sql/rate_limits.sql and test/tap/300_rate_limits.pl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "core/catalog/catalog.hpp"
#include "pg/api/charges.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/shared/limiter.hpp"

namespace agent_queue::pg {

// What the windows of a job depend on. It lives no longer than the catalog's snapshot.
struct RatedJob {
  const Catalog &catalog;
  const std::optional<UserId> &user;  // empty: the system, which no tier bounds
  const AgentType &type;
  const Queue &queue;
};

struct RateRefusal {
  SqlState state;
  ErrorText text;
};

enum class IdempotencyKey { none, given };

// The requests of one call of enqueue_agent() or enqueue_agents(): all are charged with the first job that is admitted.
// With a key a refusal waits: the jobs may be there already, and then nothing was asked for. Nests as calls do.
class RateCharge {
 public:
  RateCharge(std::int64_t jobs, IdempotencyKey key);
  ~RateCharge();
  RateCharge(const RateCharge &) = delete;
  RateCharge &operator=(const RateCharge &) = delete;

  // Only so many of the jobs are new: the requests of the others come back. At the end of the call.
  void keep(std::int64_t stored);

  // Throws the refusal that waits, if there is one: not all of the jobs are there.
  void raise_refusal() const;

 private:
  friend bool charge_rates(const RatedJob &job, std::int64_t number);

  bool is_of(const RatedJob &job) const;

  std::int64_t jobs_;
  IdempotencyKey key_;
  RateCharge *outer_;
  bool is_charged_ = false;
  std::optional<RateRefusal> refusal_;
  std::optional<UserId> user_;
  std::string type_;
  std::string queue_;
  int count_ = 0;
  Charge charged_[shared::kChargedTogetherMax];
};

// Charges a job, the `number`th of its call (1 and up; of a plain INSERT 1). False: it is to be left out, and its call
// looks for the job that has its key. PT429: refused for now; 22023: more jobs in one call than the limit can ever
// take; 42704: the user's tier does not exist; PT503: the limiter's memory is full.
bool charge_rates(const RatedJob &job, std::int64_t number);

[[noreturn]] void refuse_unknown_tier(const Catalog &catalog, std::string_view tier);

// The rule of a user's tier for an endpoint; empty: none holds. 42704: the tier does not exist.
std::optional<RateLimit> tier_limit(const Catalog &catalog, const UserId &user, std::string_view endpoint);

// Charges the windows and notes it in the running transaction; `charged` (nullptr: nobody asks) has room for `count`.
shared::ChargeResult charge_and_note(const shared::WindowRequest *windows, int count, int requests, Charge *charged);

// PT503 or 54000, for outcomes that are no answer to the question whether there is room under a limit.
void raise_unless_judged(const shared::ChargeResult &result);

}  // namespace agent_queue::pg
