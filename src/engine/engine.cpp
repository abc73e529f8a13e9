#include "engine/engine.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace agent_queue {

namespace {

// An ended call waits this long for company, so that one transaction settles several. Within the 2 ms that the
// design allows for deliberate delays.
constexpr Micros kSettleWait{std::chrono::milliseconds(1)};
constexpr std::size_t kSettleBatchMax = 1000;
// A claim of its own that is no hurry (half of the room is taken, or the last one found nothing) comes this long after
// the last claim; most ride on a settle before that. The other deliberate delay of the design's 2 ms.
constexpr Micros kClaimWait{std::chrono::milliseconds(2)};
constexpr Micros kBackoffFirst{std::chrono::milliseconds(10)};
constexpr Micros kBackoffLast{std::chrono::seconds(1)};

constexpr Micros kExpiryMargin{std::chrono::milliseconds(1)};  // by then both clocks say so

constexpr int kBlockedRoundsMax = 3;
constexpr Micros kComplaintInterval{std::chrono::minutes(1)};

}  // namespace

Engine::Engine(JobStore &store, Transport &transport, Secrets &secrets, Signer &signer, Log &log, EngineOptions options)
    : store_(store),
      transport_(transport),
      secrets_(secrets),
      log_(log),
      options_(options),
      tokens_(transport, signer, log) {}

void Engine::set_options(const EngineOptions &options) {
  // Appointments that were made with a longer interval must not outlast it.
  if (options.poll_interval < options_.poll_interval) next_sweep_ = next_promotion_ = {};
  options_ = options;
}

void Engine::Backoff::postpone(SteadyTime now) {
  wait = std::clamp(wait * 2, kBackoffFirst, kBackoffLast);
  until = now + wait;
}

Pause Engine::step(Now now) {
  abort_cancelled(now);  // before the poll, which would send what was claimed a moment ago
  conclude_ended(now);
  if (is_store_gone_) return next_pause(now);
  send_authorized(now);
  if (now.steady >= rounds_.until) {
    rescue_lost(now);
    promote_due(now);
    StreamParts &parts = streams_.parts();
    if (is_settle_due(now.steady) || (can_claim() && now.steady >= next_own_claim(now.steady)) ||
        (parts.is_due(now.steady) && !parts.must_go_alone()))
      run_round(now);
    if (parts.is_due(now.steady) && parts.must_go_alone() && now.steady >= rounds_.until) write_parts(now);
  }
  return next_pause(now);
}

// Beside the calls that are named, all others are looked through: that is seldom, and an index would be paid by each
// call.
void Engine::abort_cancelled(Now now) {
  if (!store_.cancel_hinted()) return;
  std::vector<CallId> ids;
  std::vector<AttemptId> attempts;
  for (const auto &[id, attempt] : calls_) {
    ids.push_back(CallId{id});
    attempts.push_back({attempt.job.id, attempt.job.started_at});
  }
  for (const std::size_t place : store_.take_cancelled(attempts, now)) {
    if (!tokens_.forget(ids[place])) {
      transport_.cancel(ids[place]);
      continue;
    }
    CallEnd end;
    end.error = TransportError::cancelled;
    const auto it = calls_.find(ids[place].value);
    streams_.forget(ids[place]);  // nothing was sent: it has no text
    settle_queue_.push(conclude(it->second, end, {}, now), now.steady);
    calls_.erase(it);
  }
}

void Engine::conclude_ended(Now now) {
  ended_.clear();
  transport_.poll(ended_);
  streams_.follow(transport_, ended_, now.steady);
  for (CallEnd &end : ended_) {
    if (tokens_.take_end(end, now)) continue;
    const auto it = calls_.find(end.id.value);
    if (it == calls_.end()) continue;
    Attempt &attempt = it->second;
    if (attempt.uses_token && end.response.status == 401)
      attempt.is_token_stale = tokens_.give_up(attempt.secret, now.steady);
    auto streamed = streams_.close(end, attempt.secret, now.wall);
    settle_queue_.push(conclude(attempt, end, attempt.secret, now, std::move(streamed)), now.steady);
    calls_.erase(it);
  }
}

void Engine::rescue_lost(Now now) {
  if (now.steady < rescues_.until || !is_rescue_hinted()) return;
  const std::optional<std::vector<ClaimedJob>> lost = store_.rescue(now);
  if (!lost) return note_busy(rescues_, "recovery of dead workers' jobs has to wait", now);
  is_rescue_needed_ = lost->size() >= static_cast<std::size_t>(kRescueBatch);
  for (const ClaimedJob &job : *lost) settle_queue_.push(conclude_lost(job, *store_.catalog(), now), now.steady);
  counters_.rescued += lost->size();
  if (!lost->empty())
    log_.write(LogLevel::log, "recovered " + std::to_string(lost->size()) + " jobs whose worker had died");
  // A hint that stays speaks of rows that somebody else has locked.
  if (!is_rescue_needed_ && store_.rescue_hinted()) return rescues_.postpone(now.steady);
  rescues_.end();
}

bool Engine::is_promotion_due(Now now) const {
  const std::optional<WallTime> due = store_.next_due();
  return now.steady >= promotions_.until && (now.steady >= next_promotion_ || (due && *due <= now.wall));
}

void Engine::promote_due(Now now) {
  if (!is_promotion_due(now)) return;
  const std::optional<int> promoted = store_.promote_due(now);
  if (!promoted) return note_busy(promotions_, "scheduled jobs have to wait", now);
  next_promotion_ = now.steady + options_.poll_interval;
  if (*promoted > 0) is_more_waiting_ = true;
  // Nothing was promoted and something is due: somebody else has it locked.
  const std::optional<WallTime> due = store_.next_due();
  if (*promoted == 0 && due && *due <= now.wall) return promotions_.postpone(now.steady);
  promotions_.end();
}

bool Engine::is_settle_due(SteadyTime now) const {
  if (settle_queue_.has_urgent()) return true;
  if (const auto retry = settle_queue_.next_retry(); retry && *retry <= now) return true;
  if (settle_queue_.fresh_count() == 0) return false;
  return calls_.empty() || settle_queue_.fresh_count() >= kSettleBatchMax / 2 ||
         now - settle_queue_.oldest() >= kSettleWait;
}

// When a claim that does not ride on a settle may come. While many calls are in flight it gives the next settle a
// chance; only a worker with room to spare claims at once.
SteadyTime Engine::next_own_claim(SteadyTime now) const {
  if (!is_more_waiting_ && !store_.work_hinted()) return next_sweep_;
  const bool is_hurried = in_flight() <= options_.max_in_flight / 2 && !was_claim_empty_;
  return std::min(next_sweep_, is_hurried ? now : last_claim_ + kClaimWait);
}

void Engine::run_round(Now now) {
  Round round;
  round.settlements = settle_queue_.next_batch(now.steady, kSettleBatchMax);
  const bool is_suspect_round = settle_queue_.is_batch_suspect();
  const int room = options_.max_in_flight - in_flight();
  const bool may_be_work = is_more_waiting_ || store_.work_hinted() || now.steady >= next_sweep_;
  // A round that may fail because of one settlement takes no jobs with it.
  const int batch = claim_cap_ > 0 ? std::min(claim_cap_, options_.claim_batch) : options_.claim_batch;
  if (can_claim() && may_be_work && !is_suspect_round) round.claim_limit = std::min(room, batch);
  if (!is_suspect_round && !streams_.parts().must_go_alone()) round.parts = streams_.parts().next_batch(now.steady);
  if (round.settlements.empty() && round.claim_limit == 0 && round.parts.empty()) return;

  RoundResult result = store_.round(round, now);
  ++counters_.rounds;
  if (result.failure) {
    // The same again without the parts comes at once, before anything else is blamed.
    if (!round.parts.empty()) return note_refused_parts(*result.failure, now);
    // It may be the claim that cannot be stored: fewer rows next time, down to the one that is in the way.
    if (result.failure->trouble == StoreTrouble::unstorable && round.claim_limit > 0)
      claim_cap_ = std::max(1, round.claim_limit / 4);
    return note_failure(*result.failure, now);
  }
  if (round.claim_limit > 0 && claim_cap_ > 0) claim_cap_ = claim_cap_ >= options_.claim_batch ? 0 : claim_cap_ * 2;

  if (!round.parts.empty()) streams_.parts().accept(now.steady);
  rounds_.end();
  blocked_rounds_ = 0;
  for (const SettleFate fate : result.report.fates) {
    if (fate == SettleFate::settled) ++counters_.settled;
    if (fate == SettleFate::orphaned) ++counters_.orphaned;
  }
  settle_queue_.accept(result.report.fates, now.steady);
  if (round.claim_limit > 0) {
    is_more_waiting_ = result.report.more_waiting;
    was_claim_empty_ = result.report.claimed.empty();
    last_claim_ = now.steady;
    next_sweep_ = now.steady + options_.poll_interval;
    counters_.claimed += result.report.claimed.size();
    start_calls(result.report.claimed, now);
  }
}

// A round of its own: the last one that carried parts has failed.
void Engine::write_parts(Now now) {
  Round round;
  round.parts = streams_.parts().next_batch(now.steady);
  if (round.parts.empty()) return;
  const RoundResult result = store_.round(round, now);
  ++counters_.rounds;
  if (result.failure) return note_refused_parts(*result.failure, now);
  streams_.parts().accept(now.steady);
}

void Engine::note_refused_parts(const StoreFailure &failure, Now now) {
  if (failure.trouble == StoreTrouble::gone) return note_failure(failure, now);
  ++counters_.store_failures;
  if (const std::optional<JobId> job = streams_.parts().refuse(failure.trouble, now.steady))
    log_.write(LogLevel::warning,
               "the text so far of job " + std::to_string(job->value) + " is kept no further: " + failure.message);
}

void Engine::start_calls(std::vector<ClaimedJob> &claimed, Now now) {
  const std::shared_ptr<const Catalog> catalog = store_.catalog();
  for (ClaimedJob &job : claimed) {
    auto prepared = prepare_call(std::move(job), catalog, secrets_, now);
    if (Settlement *settlement = std::get_if<Settlement>(&prepared)) {
      settle_queue_.push(std::move(*settlement), now.steady);
      continue;
    }
    auto &call = std::get<PreparedCall>(prepared);
    if (call.attempt.wire_format->is_local()) {
      CallEnd end;
      end.request_sent = true;
      end.response = call.attempt.wire_format->answer_locally(call.request);
      settle_queue_.push(conclude(call.attempt, end, {}, now), now.steady);
      continue;
    }
    const CallId id{next_call_id_++};
    if (call.reader) streams_.open(id, call.attempt, std::move(call.reader), now.steady);
    const Attempt &attempt = calls_.emplace(id.value, std::move(call.attempt)).first->second;
    if (call.account) {
      Micros patience = call.request.timeouts.total;
      if (attempt.job.expires_at) patience = std::min(patience, *attempt.job.expires_at - now.wall + kExpiryMargin);
      tokens_.admit(id, std::move(call.request), *call.account, patience, now);
      continue;
    }
    transport_.submit(id, std::move(call.request));
  }
  send_authorized(now);
}

// Calls whose wait for an access token is over: they are sent, or settled as never sent.
void Engine::send_authorized(Now now) {
  verdicts_.clear();
  tokens_.step(now, verdicts_);
  for (TokenVerdict &verdict : verdicts_) {
    const auto it = calls_.find(verdict.id.value);
    if (it == calls_.end()) continue;
    Attempt &attempt = it->second;
    const bool is_expired = attempt.job.expires_at && *attempt.job.expires_at <= now.wall;
    if (verdict.failure || is_expired) {
      settle_queue_.push(conclude_unsent(attempt, verdict.failure.value_or(Failure{}), now), now.steady);
      streams_.forget(verdict.id);
      calls_.erase(it);
      continue;
    }
    attempt.secret = std::move(verdict.token);
    streams_.send(verdict.id, now.steady);
    transport_.submit(verdict.id, std::move(verdict.request));
  }
}

void Engine::note_busy(Backoff &backoff, const std::string &what, Now now) {
  ++counters_.store_failures;
  backoff.postpone(now.steady);
  if (backoff.wait < kBackoffLast || now.steady < next_complaint_) return;
  next_complaint_ = now.steady + kComplaintInterval;
  log_.write(LogLevel::warning, "the store is busy: " + what);
}

void Engine::note_failure(const StoreFailure &failure, Now now) {
  switch (failure.trouble) {
    case StoreTrouble::gone:
      ++counters_.store_failures;
      is_store_gone_ = true;
      return;
    case StoreTrouble::unstorable:
      if (!settle_queue_.has_urgent()) break;  // nothing was to be settled: it was the claim that failed
      ++counters_.store_failures;
      log_.write(LogLevel::warning, "a round could not be stored: " + failure.message);
      settle_queue_.split(failure.message, now.steady);
      return;
    case StoreTrouble::blocked:
      // A lock on the table passes; a row that blocks every round must not hold up the others' answers.
      if (++blocked_rounds_ >= kBlockedRoundsMax && settle_queue_.has_urgent()) settle_queue_.isolate(now.steady);
      break;
    case StoreTrouble::busy:
      break;
  }
  note_busy(rounds_, failure.message, now);
}

Pause Engine::next_pause(Now now) const {
  if (is_store_gone_) return {.run_again = false, .until = now.steady + options_.poll_interval};
  SteadyTime until = now.steady + options_.poll_interval;
  const auto sooner = [&](SteadyTime at) { until = std::min(until, std::max(at, rounds_.until)); };

  // A store round may have taken the wake-up that came with it.
  if (store_.cancel_hinted()) return {.run_again = true, .until = now.steady};
  if (is_settle_due(now.steady)) sooner(now.steady);
  if (const auto retry = settle_queue_.next_retry()) sooner(*retry);
  if (const auto due = tokens_.next_due()) sooner(*due);
  if (settle_queue_.fresh_count() > 0) sooner(settle_queue_.oldest() + kSettleWait);
  const bool knows_of_work = store_.work_hinted();
  if (can_claim()) sooner(next_own_claim(now.steady));
  if (const auto due = streams_.parts().next_due()) sooner(*due);
  if (const auto due = streams_.next_due()) sooner(*due);
  if (is_rescue_hinted()) sooner(rescues_.until);
  SteadyTime promotion = next_promotion_;
  if (const std::optional<WallTime> due = store_.next_due())
    promotion = std::min(promotion, now.steady + std::clamp(*due - now.wall, Micros{0}, options_.poll_interval));
  sooner(std::max(promotion, promotions_.until));
  return {.run_again = until <= now.steady, .until = until, .knows_of_work = knows_of_work};
}

}  // namespace agent_queue
