// The worker's session of the simulator.
#include "sim/fake_store.hpp"

#include <algorithm>
#include <utility>

#include "core/provider/wire_format.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue::sim {

namespace {

constexpr int kPromoteMax = 20;  // small, so that one look is often not enough

RoundResult failed_round(StoreTrouble trouble, std::string message) {
  RoundResult result;
  result.failure = StoreFailure{trouble, std::move(message)};
  return result;
}

ClaimedJob as_claimed(const JobRow &row) {
  ClaimedJob job;
  job.id = row.id;
  job.agent_type = row.agent_type;
  job.request = row.request;
  job.retry_count = row.retry_count;
  job.max_retries = row.max_retries;
  job.created_at = row.created_at;
  job.expires_at = row.expires_at;
  job.started_at = row.started_at;
  return job;
}

JobStatus status_after(Outcome outcome) {
  switch (outcome) {
    case Outcome::completed:
      return JobStatus::completed;
    case Outcome::failed:
      return JobStatus::failed;
    case Outcome::retry:
      return JobStatus::scheduled;
  }
  return JobStatus::failed;
}

// What jsonb takes.
bool is_storable_json(const std::string &text) {
  const Result<Json> value = parse_json(text);
  if (!value || !is_clean_text(text)) return false;
  Json cleaned = *value;
  clean_json(cleaned);
  return cleaned == *value;
}

}  // namespace

RoundResult FakeStore::round(const Round &round, Now now) {
  faults_.crash_point();
  if (faults_.is_busy()) return failed_round(StoreTrouble::busy, "canceling statement due to lock timeout");
  Transaction tx;
  RoundResult result;
  for (const Settlement &settlement : round.settlements) {
    if (is_unstorable(settlement)) return failed_round(StoreTrouble::unstorable, "unsupported Unicode escape");
    result.report.fates.push_back(settle(tx, settlement));
    if (result.report.fates.back() != SettleFate::kept) tx.ended.push_back(settlement);
  }
  write_parts(tx, round);
  if (round.claim_limit > 0) {
    if (faults_.is_claim_unstorable()) return failed_round(StoreTrouble::unstorable, "a trigger of the table failed");
    claim(tx, round.claim_limit, now, result.report);
  }
  catalog_ = database_.catalog;
  faults_.crash_point();
  commit(tx);
  if (round.claim_limit > 0 && !result.report.more_waiting) database_.clear_hint(claim_.incarnation);
  faults_.crash_point();
  return result;
}

void FakeStore::write_parts(Transaction &tx, const Round &round) const {
  for (const StreamPart &part : round.parts) {
    const JobRow *row = database_.find(part.id);
    if (row != nullptr && row->claim == claim_ && row->started_at == part.started_at) tx.parts.push_back(part);
    for (const Settlement &settlement : round.settlements)
      if (settlement.id == part.id) database_.problems().add("a round settles a job and writes its text so far");
  }
}

bool FakeStore::is_unstorable(const Settlement &settlement) const {
  if (database_.hopeless.contains(settlement.id.value)) return true;
  return settlement.outcome == Outcome::completed && database_.poisoned.contains(settlement.id.value);
}

// FOR UPDATE SKIP LOCKED of the rows that are ours; a second look tells the locked ones from the lost ones.
SettleFate FakeStore::settle(Transaction &tx, const Settlement &settlement) {
  const JobRow *row = database_.find(settlement.id);
  if (row == nullptr || row->claim != claim_ || row->started_at != settlement.started_at ||
      tx.rows.contains(settlement.id.value)) {
    const int life = database_.life_of({settlement.id, settlement.started_at});
    if (!database_.ledger().was_removed(settlement.id, life))
      database_.problems().add("job " + std::to_string(settlement.id.value) + " was settled by who does not own it");
    tx.forgotten.push_back({settlement.id, settlement.started_at});
    if (!settlement.usage) return SettleFate::orphaned;
    const AttemptKey key{settlement.id.value, settlement.usage->attempt, life};
    database_.ledger().on_orphan(settlement, key);
    tx.usage.push_back({key, *settlement.usage});
    return SettleFate::orphaned;
  }
  if (database_.is_locked(settlement.id)) return SettleFate::kept;
  write_end(tx, *row, settlement);
  return SettleFate::settled;
}

void FakeStore::write_end(Transaction &tx, JobRow row, const Settlement &settlement) {
  const std::string name = "job " + std::to_string(row.id.value);
  if (settlement.outcome == Outcome::completed && !is_storable_json(settlement.result))
    database_.problems().add(name + " has a result that jsonb refuses: " + settlement.result);
  if (!is_clean_text(settlement.error_message))
    database_.problems().add(name + " has an error message that text refuses");
  if (settlement.error_code == JobErrorCode::store_error && !database_.poisoned.contains(row.id.value))
    database_.problems().add(name + " lost an answer that could have been stored");
  check_retry(row, settlement);
  tx.told.push_back({settlement, row});
  row.status = status_after(settlement.outcome);
  row.result = settlement.outcome == Outcome::completed ? settlement.result : std::string();
  row.error_code = settlement.error_code;
  row.error_message = settlement.error_message;
  if (settlement.costs_attempt) ++row.retry_count;
  if (settlement.outcome == Outcome::retry) row.run_at = settlement.run_at;
  row.claim.reset();
  if (settlement.usage) tx.usage.push_back({{row.id.value, settlement.usage->attempt, row.life}, *settlement.usage});
  tx.rows[row.id.value] = std::move(row);
}

void FakeStore::check_retry(const JobRow &row, const Settlement &settlement) const {
  if (settlement.outcome != Outcome::retry) return;
  const std::string name = "job " + std::to_string(row.id.value);
  if (row.expires_at && settlement.run_at >= *row.expires_at)
    database_.problems().add(name + " is to be tried again after it expires");
  const AgentType *type = database_.catalog->agent_type(row.agent_type);
  const bool may_be_uncertain = type == nullptr || type->on_uncertain == OnUncertain::retry;
  if (settlement.error_code == JobErrorCode::uncertain && !may_be_uncertain)
    database_.problems().add(name + " is to be tried again though its type says not to");
}

// Pending rows of open lanes by claim_key. A type that is gone is a lane too: its jobs are claimed to be failed.
std::vector<const JobRow *> FakeStore::claimable() const {
  std::vector<const JobRow *> rows;
  for (const auto &[id, row] : database_.jobs()) {
    if (row.status != JobStatus::pending || database_.is_locked(row.id)) continue;
    const AgentType *type = database_.catalog->agent_type(row.agent_type);
    if (type == nullptr || database_.catalog->is_open(type->queue)) rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const JobRow *a, const JobRow *b) { return a->claim_key < b->claim_key; });
  return rows;
}

void FakeStore::claim(Transaction &tx, int limit, Now now, RoundReport &report) {
  for (const JobRow *candidate : claimable()) {
    if (static_cast<int>(report.claimed.size()) == limit) {
      report.more_waiting = true;
      break;
    }
    if (tx.rows.contains(candidate->id.value)) continue;
    JobRow row = *candidate;
    row.claim.reset();
    if (row.expires_at && *row.expires_at <= now.wall) {
      row.status = JobStatus::failed;
      row.error_code = JobErrorCode::expired;
    } else {
      row.status = JobStatus::processing;
      row.claim = claim_;
      row.started_at = now.wall;
      database_.note_claim(row);
      report.claimed.push_back(as_claimed(row));
    }
    tx.rows[row.id.value] = std::move(row);
  }
}

std::optional<std::vector<ClaimedJob>> FakeStore::rescue(Now) {
  faults_.crash_point();
  if (faults_.is_busy()) return std::nullopt;
  Transaction tx;
  std::vector<ClaimedJob> lost;
  bool is_all = true;
  for (const auto &[id, row] : database_.jobs()) {
    if (row.status != JobStatus::processing || database_.is_alive(*row.claim)) continue;
    if (database_.is_locked(row.id) || lost.size() == static_cast<std::size_t>(kRescueBatch)) {
      is_all = false;  // the hint stays: they come again
      continue;
    }
    JobRow taken = row;
    taken.claim = claim_;
    lost.push_back(as_claimed(taken));
    tx.rows[id] = std::move(taken);
  }
  for (const auto &[key, orphan] : database_.orphans()) {
    if (database_.is_alive(*orphan.claim)) continue;
    if (lost.size() == static_cast<std::size_t>(kRescueBatch)) {
      is_all = false;
      break;
    }
    lost.push_back(as_claimed(orphan));
    tx.adopted.push_back({orphan.id, orphan.started_at});
  }
  catalog_ = database_.catalog;
  faults_.crash_point();
  for (const auto &[id, row] : tx.rows) database_.ledger().on_rescue(row.attempt());
  for (const AttemptId &attempt : tx.adopted)
    database_.ledger().on_rescue(database_.orphans().at({attempt.job.value, attempt.started_at}).attempt());
  commit(tx);
  for (const ClaimedJob &job : lost) database_.texts().remove(job.id, job.started_at);
  database_.texts().sweep([this](JobId id, WallTime started_at) {
    const JobRow *row = database_.find(id);
    return row != nullptr && row->claim && row->started_at == started_at;
  });
  database_.forget_deaths(is_all);
  faults_.crash_point();
  return lost;
}

std::vector<std::size_t> FakeStore::take_cancelled(std::span<const AttemptId> calls, Now) {
  std::vector<std::size_t> places;
  for (const AttemptId &cancelled : database_.take_cancels(claim_.incarnation)) {
    const auto found = std::find(calls.begin(), calls.end(), cancelled);
    if (found != calls.end()) places.push_back(static_cast<std::size_t>(found - calls.begin()));
  }
  return places;
}

std::optional<int> FakeStore::promote_due(Now now) {
  faults_.crash_point();
  if (faults_.is_busy()) return std::nullopt;
  Transaction tx;
  next_due_.reset();
  for (const auto &[id, row] : database_.jobs()) {
    if (row.status != JobStatus::scheduled) continue;
    if (row.run_at > now.wall || database_.is_locked(row.id) || tx.rows.size() == kPromoteMax) {
      next_due_ = next_due_ ? std::min(*next_due_, row.run_at) : row.run_at;
      continue;
    }
    JobRow ready = row;
    ready.status = JobStatus::pending;
    tx.rows[id] = std::move(ready);
  }
  faults_.crash_point();
  commit(tx);
  faults_.crash_point();
  return static_cast<int>(tx.rows.size());
}

bool FakeStore::is_local(const std::string &agent_type) const {
  const AgentType *type = catalog_->agent_type(agent_type);
  if (type == nullptr || type->routes.empty()) return false;
  const Provider *provider = catalog_->provider(type->routes.front().provider);
  const WireFormat *format = provider == nullptr ? nullptr : find_wire_format(provider->wire_format);
  return format != nullptr && format->is_local();
}

void FakeStore::commit(const Transaction &tx) {
  for (const Told &told : tx.told) {
    database_.ledger().on_settle(told.settlement, told.before.attempt(), told.before.max_retries,
                                 is_local(told.before.agent_type));
    if (told.settlement.outcome != Outcome::retry) continue;
    next_due_ = next_due_ ? std::min(*next_due_, told.settlement.run_at) : told.settlement.run_at;
  }
  database_.commit(tx.rows, tx.usage);
  for (const AttemptId &attempt : tx.adopted) database_.adopt_orphan(attempt, claim_);
  for (const AttemptId &attempt : tx.forgotten) database_.forget_orphan(attempt);
  for (const Settlement &settlement : tx.ended) database_.texts().end(settlement);
  for (const StreamPart &part : tx.parts) {
    const AgentType *type = catalog_->agent_type(database_.find(part.id)->agent_type);
    const bool has_interval = type != nullptr && type->stream_interval;
    database_.texts().write(part, has_interval ? *type->stream_interval : Micros{0}, database_.now.steady);
  }
}

}  // namespace agent_queue::sim
