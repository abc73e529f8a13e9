// The worker's brain: claims, calls and settles by step(now) against the ports. It never waits, reads no clock and
// knows neither Postgres nor curl, so the same code runs in the background worker and in the simulator.
// Tested in test/unit/engine_test.cpp and, through crashes by seed, in test/sim.
//
// One step: what ended is concluded; one round of the store settles that and claims as much as there is room for;
// what was claimed is sent. Under load one transaction so serves many jobs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/attempt.hpp"
#include "engine/settle_queue.hpp"
#include "engine/streams.hpp"
#include "engine/token_keeper.hpp"
#include "ports/job_store.hpp"
#include "ports/log.hpp"
#include "ports/secrets.hpp"
#include "ports/signer.hpp"
#include "ports/transport.hpp"

namespace agent_queue {

struct EngineOptions {
  int max_in_flight = 1000;                       // calls at the same time
  int claim_batch = 200;                          // jobs claimed by one round at most
  Micros poll_interval{std::chrono::seconds(2)};  // the safety net: look without being woken
  bool is_claiming = true;                        // false: paused; what is in flight is finished and settled
  bool is_rescuing = true;                        // false: in a copy, where the calls of the dead were never made
};

// What the caller does until the next step.
struct Pause {
  bool run_again = false;      // there is more to do now: do not wait
  SteadyTime until;            // else wait until then, or for the transport, or for a wake-up
  bool knows_of_work = false;  // `until` has regard to the store's hint of work; one that comes later is news
};

struct EngineCounters {
  std::uint64_t claimed = 0;
  std::uint64_t settled = 0;
  std::uint64_t orphaned = 0;
  std::uint64_t rounds = 0;
  std::uint64_t store_failures = 0;
  std::uint64_t rescued = 0;
};

class Engine {
 public:
  // All referenced objects outlive the engine.
  Engine(JobStore &store, Transport &transport, Secrets &secrets, Signer &signer, Log &log, EngineOptions options);

  Pause step(Now now);

  void set_options(const EngineOptions &options);
  int in_flight() const { return static_cast<int>(calls_.size()); }
  bool has_unsettled() const { return !settle_queue_.empty(); }
  // Would a wake-up lead to a claim?
  bool has_room() const { return can_claim(); }
  // The last claim stopped at its limit.
  bool is_behind() const { return is_more_waiting_; }
  const EngineCounters &counters() const { return counters_; }

  // The extension is gone: nothing can be stored any more and the caller should end.
  bool is_store_gone() const { return is_store_gone_; }

 private:
  // Grows from failure to failure; a success ends it.
  struct Backoff {
    SteadyTime until{};  // nothing before this
    Micros wait{0};

    void postpone(SteadyTime now);
    void end() { *this = {}; }
  };

  void abort_cancelled(Now now);
  void conclude_ended(Now now);
  bool is_rescue_hinted() const { return options_.is_rescuing && (is_rescue_needed_ || store_.rescue_hinted()); }
  void rescue_lost(Now now);
  void promote_due(Now now);
  bool is_promotion_due(Now now) const;
  bool is_settle_due(SteadyTime now) const;
  bool can_claim() const { return options_.is_claiming && in_flight() < options_.max_in_flight; }
  SteadyTime next_own_claim(SteadyTime now) const;
  void run_round(Now now);
  void write_parts(Now now);
  void note_refused_parts(const StoreFailure &failure, Now now);
  void start_calls(std::vector<ClaimedJob> &claimed, Now now);
  void send_authorized(Now now);
  void note_busy(Backoff &backoff, const std::string &what, Now now);
  void note_failure(const StoreFailure &failure, Now now);
  Pause next_pause(Now now) const;

  JobStore &store_;
  Transport &transport_;
  Secrets &secrets_;
  Log &log_;
  EngineOptions options_;
  EngineCounters counters_;

  std::unordered_map<std::uint64_t, Attempt> calls_;  // by CallId
  std::uint64_t next_call_id_ = 1;
  std::vector<CallEnd> ended_;  // scratch
  SettleQueue settle_queue_;
  TokenKeeper tokens_;
  std::vector<TokenVerdict> verdicts_;  // scratch
  Streams streams_;

  bool is_more_waiting_ = false;  // the last claim stopped at its limit
  bool was_claim_empty_ = false;  // the last claim found nothing, whatever the hint said
  bool is_rescue_needed_ = true;  // a new worker first looks after the dead
  int claim_cap_ = 0;             // fewer than a batch, while claims fail; 0: no cap
  SteadyTime next_complaint_{};
  int blocked_rounds_ = 0;  // in a row
  bool is_store_gone_ = false;
  SteadyTime last_claim_{};
  SteadyTime next_sweep_{};  // look for jobs without a hint
  SteadyTime next_promotion_{};
  // Each has its own: a rescue that has to wait must not stop the rounds.
  Backoff rounds_;
  Backoff rescues_;
  Backoff promotions_;
};

}  // namespace agent_queue
