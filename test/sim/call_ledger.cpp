// The rules of the ledger. Tested by breaking the engine on purpose (see sim_test.cpp).
#include "sim/call_ledger.hpp"

namespace agent_queue::sim {

const char *answer_kind_name(AnswerKind kind) {
  constexpr const char *kNames[] = {"good",         "good_without_usage", "refused",          "rate_limited_timed",
                                    "rate_limited", "server_error",       "broken_before",    "garbage",
                                    "broken_after", "timed_out",          "cancelled_before", "cancelled_after",
                                    "error_event"};
  return kNames[static_cast<int>(kind)];
}

bool is_billed(AnswerKind kind) {
  switch (kind) {
    case AnswerKind::good:
    case AnswerKind::good_without_usage:
    case AnswerKind::garbage:
    case AnswerKind::broken_after:
    case AnswerKind::timed_out:
    case AnswerKind::cancelled_after:
    case AnswerKind::error_event:
      return true;
    case AnswerKind::refused:
    case AnswerKind::rate_limited_timed:
    case AnswerKind::rate_limited:
    case AnswerKind::server_error:
    case AnswerKind::broken_before:
    case AnswerKind::cancelled_before:
      return false;
  }
  return false;
}

void CallLedger::problem(AttemptKey key, const std::string &what) const {
  problems_.add("job " + std::to_string(key.job) + ", attempt " + std::to_string(key.attempt) + ": " + what);
}

void CallLedger::on_submit(AttemptKey key, std::uint64_t worker, AnswerKind planned) {
  ++calls_;
  if (rescued_.contains(key)) problem(key, "called after its rescue");
  // The one attempt that may be called again is the one that the provider postponed. That it is not called before its
  // time follows from the check of run_at at settle and at promotion: the wall clock may be set back after that.
  const auto before = records_.find(key);
  if (before != records_.end() && (before->second.kind != AnswerKind::rate_limited_timed || !before->second.settled))
    problem(key, "called twice");
  CallRecord record;
  record.kind = planned;
  record.worker = worker;
  records_[key] = record;
}

void CallLedger::on_delivered(AttemptKey key, std::optional<WallTime> not_before) {
  CallRecord &record = records_.at(key);
  record.delivered = true;
  record.not_before = not_before;
}

void CallLedger::on_crash(std::uint64_t worker) {
  for (auto &[key, record] : records_)
    if (record.worker == worker && !record.settled) record.lost = true;
}

void CallLedger::on_cancelled(AttemptKey key, bool is_sent, bool has_spoken) {
  records_.at(key).kind = is_sent ? AnswerKind::cancelled_after : AnswerKind::cancelled_before;
  records_.at(key).has_spoken = has_spoken;
  ++cancelled_;
}

void CallLedger::on_orphan(const Settlement &settlement, AttemptKey key) const {
  // Who has rescued it cannot know that nothing was sent.
  if (rescued_.contains(key)) return check_rescued(settlement, key, false);
  const auto it = records_.find(key);
  if (it == records_.end()) return;
  if (it->second.kind == AnswerKind::cancelled_before) problem(key, "accounted though it was never sent");
  const bool must_be_estimated = it->second.kind == AnswerKind::cancelled_after && !it->second.has_spoken;
  if (must_be_estimated && !settlement.usage->estimated) problem(key, "cancelled without an estimate");
}

void CallLedger::on_orphan_settled(AttemptKey key) {
  const auto it = records_.find(key);
  if (it != records_.end()) it->second.settled = true;
}

void CallLedger::on_settle(const Settlement &settlement, AttemptKey key, int max_retries, bool local) {
  if (settlement.costs_attempt && key.attempt > max_retries) problem(key, "a retry more than allowed");
  if (settlement.usage && settlement.usage->attempt != key.attempt) problem(key, "usage of another attempt");
  if (settlement.outcome == Outcome::failed && !settlement.error_code) problem(key, "failed without an error code");
  if (rescued_.contains(key)) return check_rescued(settlement, key, local);
  const auto it = records_.find(key);
  if (local) {
    if (settlement.outcome == Outcome::completed && !settlement.usage) problem(key, "local answer without usage");
    return;
  }
  if (it == records_.end()) {
    if (settlement.usage) problem(key, "usage without a call");
    if (settlement.outcome != Outcome::failed) problem(key, "neither called nor failed");
    return;
  }
  if (!it->second.delivered) return problem(key, "settled before the call ended");
  it->second.settled = true;
  check_answered(settlement, it->second, key, max_retries);
}

void CallLedger::check_answered(const Settlement &settlement, const CallRecord &call, AttemptKey key, int max_retries) {
  const std::string name = answer_kind_name(call.kind);
  const bool is_cancelled = call.kind == AnswerKind::cancelled_before || call.kind == AnswerKind::cancelled_after;
  if (is_cancelled) problem(key, "settled a job that was cancelled");
  if (settlement.usage.has_value() != is_billed(call.kind)) problem(key, "wrongly accounted after " + name);
  if (settlement.usage && settlement.usage->estimated != (call.kind != AnswerKind::good))
    problem(key, "estimated is wrong after " + name);

  const bool is_good = call.kind == AnswerKind::good || call.kind == AnswerKind::good_without_usage;
  const bool is_store_error = settlement.error_code == JobErrorCode::store_error;
  if (is_good != (settlement.outcome == Outcome::completed) && !is_store_error) problem(key, "wrong end after " + name);
  if (settlement.outcome != Outcome::retry) return;

  if (call.kind == AnswerKind::refused) problem(key, "tried again after a refusal");
  const bool must_cost = call.kind != AnswerKind::rate_limited_timed;
  if (settlement.costs_attempt != must_cost) problem(key, "costs_attempt is wrong after " + name);
  if (call.not_before && settlement.run_at < *call.not_before) problem(key, "scheduled before Retry-After");
  if (must_cost && key.attempt > max_retries) problem(key, "a retry more than allowed");
}

void CallLedger::on_rescue(AttemptKey key) {
  rescued_.insert(key);
  const auto it = records_.find(key);
  // A call that its provider postponed, settled as such, is not the one that was lost.
  if (it != records_.end() && !it->second.lost && !it->second.settled) problem(key, "rescued from a living worker");
}

void CallLedger::check_rescued(const Settlement &settlement, AttemptKey key, bool local) const {
  if (!local && !settlement.usage) problem(key, "rescued without its uncertain usage");
  if (settlement.usage && !settlement.usage->estimated) problem(key, "rescued with a usage that is no estimate");
  if (settlement.usage && settlement.usage->attempt != key.attempt)
    problem(key, "rescued with another attempt's usage");
  if (settlement.outcome == Outcome::completed) problem(key, "rescued as completed");
}

void CallLedger::check_complete(const std::set<AttemptKey> &accounted) const {
  for (const auto &[key, record] : records_) {
    if (accounted.contains(key)) continue;
    if (is_billed(record.kind) || record.lost)
      problem(key, "never accounted, ended " + std::string(answer_kind_name(record.kind)));
  }
}

}  // namespace agent_queue::sim
