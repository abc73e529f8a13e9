// The shared tables of the simulator.
#include "sim/database.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace agent_queue::sim {

namespace {

using std::chrono::milliseconds;

// retry_count is a user's to read: it never says more than max_retries allow.
bool has_legal_fields(const JobRow &row) {
  if (row.retry_count < 0 || row.retry_count > row.max_retries) return false;
  if (row.claim.has_value() != (row.status == JobStatus::processing)) return false;
  if (row.error_code.has_value() && row.status == JobStatus::completed) return false;
  return row.status != JobStatus::failed || row.error_code.has_value();
}

bool is_legal(JobStatus from, JobStatus to) {
  switch (from) {
    case JobStatus::pending:
      return to == JobStatus::processing || to == JobStatus::failed;
    case JobStatus::scheduled:
      return to == JobStatus::pending || to == JobStatus::failed;
    case JobStatus::processing:
      return to != JobStatus::processing;
    case JobStatus::completed:
    case JobStatus::failed:
      return false;
  }
  return false;
}

}  // namespace

const char *job_status_name(JobStatus status) {
  constexpr const char *kNames[] = {"pending", "scheduled", "processing", "completed", "failed"};
  return kNames[static_cast<int>(status)];
}

const JobRow *Database::find(JobId id) const {
  const auto it = jobs_.find(id.value);
  return it == jobs_.end() ? nullptr : &it->second;
}

JobId Database::enqueue(JobRow row, Micros delay) {
  row.id = JobId{next_id_++};
  row.created_at = now.wall;
  row.run_at = now.wall + delay;
  row.status = delay > Micros{0} ? JobStatus::scheduled : JobStatus::pending;
  const JobId id = row.id;
  jobs_.emplace(id.value, std::move(row));
  ++version;
  if (delay <= Micros{0}) hint();
  return id;
}

bool Database::remove(JobId id) {
  const JobRow *row = find(id);
  if (row == nullptr || is_locked(id)) return false;
  ledger_.on_removed(id, row->life);
  if (row->claim) orphans_.emplace(std::pair{id.value, row->started_at}, *row);
  jobs_.erase(id.value);
  ++version;
  return true;
}

bool Database::cancel(JobId id) {
  const auto it = jobs_.find(id.value);
  if (it == jobs_.end() || it->second.is_ended() || is_locked(id)) return false;
  JobRow row = it->second;
  row.status = JobStatus::failed;
  row.error_code = JobErrorCode::cancelled;
  row.claim.reset();
  ledger_.on_removed(id, row.life);
  if (it->second.claim) orphans_.emplace(std::pair{id.value, row.started_at}, it->second);
  if (it->second.claim && is_alive(*it->second.claim) && random_.chance(85))
    cancels_[it->second.claim->incarnation].push_back(
        {{id, row.started_at}, now.steady + random_.duration(Micros(0), milliseconds(1))});
  commit({{id.value, row}}, {});
  return true;
}

bool Database::retry(JobId id) {
  const auto it = jobs_.find(id.value);
  if (it == jobs_.end() || it->second.status != JobStatus::failed || is_locked(id)) return false;
  JobRow &row = it->second;
  row.status = JobStatus::pending;
  row.error_code.reset();
  row.error_message.clear();
  row.retry_count = 0;
  row.run_at = now.wall;
  if (row.expires_at) row.expires_at = now.wall + std::chrono::seconds(30);
  ++row.life;
  ++version;
  hint();
  return true;
}

bool Database::is_cancel_hinted(std::uint64_t incarnation) const {
  const auto it = cancels_.find(incarnation);
  return it != cancels_.end() && std::any_of(it->second.begin(), it->second.end(),
                                             [this](const Cancel &cancel) { return cancel.at <= now.steady; });
}

std::vector<AttemptId> Database::take_cancels(std::uint64_t incarnation) {
  std::vector<AttemptId> taken;
  std::erase_if(cancels_[incarnation], [&](const Cancel &cancel) {
    if (cancel.at > now.steady) return false;
    taken.push_back(cancel.attempt);
    return true;
  });
  return taken;
}

bool Database::is_locked(JobId id) const {
  const auto it = locks_.find(id.value);
  return it != locks_.end() && it->second > now.steady;
}

void Database::commit(const std::map<std::int64_t, JobRow> &rows, const std::vector<UsageRow> &usage) {
  bool is_new_work = false;
  for (const auto &[id, row] : rows) {
    const JobRow *before = find(row.id);
    check_transition(before, row);
    if (is_locked(row.id)) problems_.add("job " + std::to_string(id) + " was changed under another's lock");
    is_new_work |= row.status == JobStatus::pending;
    jobs_[id] = row;
  }
  for (const UsageRow &row : usage)
    if (!usage_.emplace(row.key, row.record).second)
      problems_.add("job " + std::to_string(row.key.job) + ", attempt " + std::to_string(row.key.attempt) +
                    " was accounted twice");
  if (!rows.empty() || !usage.empty()) ++version;
  if (is_new_work) hint();
}

void Database::adopt_orphan(const AttemptId &attempt, const ClaimToken &claim) {
  orphans_.at({attempt.job.value, attempt.started_at}).claim = claim;
  ++version;
}

void Database::forget_orphan(const AttemptId &attempt) {
  ++version;
  const auto it = orphans_.find({attempt.job.value, attempt.started_at});
  if (it == orphans_.end())
    return problems_.add("an attempt at job " + std::to_string(attempt.job.value) +
                         " is an orphan that nobody knew of");
  ledger_.on_orphan_settled(it->second.attempt());
  orphans_.erase(it);
}

void Database::check_transition(const JobRow *before, const JobRow &after) {
  const std::string name = "job " + std::to_string(after.id.value);
  if (before == nullptr) return problems_.add(name + " came back after it was deleted");
  const bool is_taken_over = before->status == JobStatus::processing && after.status == JobStatus::processing &&
                             !is_alive(*before->claim) && is_alive(*after.claim);
  if (!is_legal(before->status, after.status) && !is_taken_over)
    problems_.add(name + " went from " + job_status_name(before->status) + " to " + job_status_name(after.status));
  if (!has_legal_fields(after)) problems_.add(name + " has fields that do not fit " + job_status_name(after.status));
  if (after.retry_count < before->retry_count || after.retry_count > before->retry_count + 1)
    problems_.add(name + " jumped in its retry_count");
  const bool is_promoted = before->status == JobStatus::scheduled && after.status == JobStatus::pending;
  if (is_promoted && now.wall < before->run_at) problems_.add(name + " was promoted before its run_at");
}

ClaimToken Database::admit() {
  const std::uint64_t incarnation = next_incarnation_++;
  alive_.insert(incarnation);
  return {epoch, incarnation};
}

void Database::bury(ClaimToken claim) {
  if (alive_.erase(claim.incarnation) == 0) return;
  ledger_.on_crash(claim.incarnation + (claim.epoch << 20));
  deaths_.push_back(now.steady + random_.duration(milliseconds(0), milliseconds(800)));
  cancels_.erase(claim.incarnation);
  if (hints_.erase(claim.incarnation) > 0) hint();
}

// Shared memory is new: so are the epoch and the counter of incarnations, and all locks are gone.
void Database::crash_server() {
  texts_.clear();
  for (const std::uint64_t incarnation : alive_) ledger_.on_crash(incarnation + (epoch << 20));
  alive_.clear();
  locks_.clear();
  hints_.clear();
  cancels_.clear();
  deaths_.clear();
  ++epoch;
  next_incarnation_ = 1;
}

bool Database::is_alive(const ClaimToken &claim) const {
  return claim.epoch == epoch && alive_.contains(claim.incarnation);
}

bool Database::is_death_known() const {
  return std::any_of(deaths_.begin(), deaths_.end(), [this](SteadyTime at) { return at <= now.steady; });
}

void Database::forget_deaths(bool is_all_rescued) {
  deaths_.clear();
  if (!is_all_rescued) deaths_.push_back(now.steady);
}

void Database::hint() {
  if (alive_.empty()) return;  // a worker that starts looks by itself
  auto chosen = alive_.begin();
  std::advance(chosen, random_.below(static_cast<int>(alive_.size())));
  const Micros late = random_.chance(80) ? random_.duration(Micros(0), milliseconds(1))
                                         : random_.duration(Micros(0), milliseconds(2000));
  const auto [it, is_new] = hints_.emplace(*chosen, now.steady + late);
  if (!is_new) it->second = std::min(it->second, now.steady + late);
}

bool Database::is_hinted(std::uint64_t incarnation) const {
  const auto it = hints_.find(incarnation);
  return it != hints_.end() && it->second <= now.steady;
}

std::optional<SteadyTime> Database::next_wake(std::uint64_t incarnation, SteadyTime after) const {
  std::optional<SteadyTime> wake;
  const auto sooner = [&wake, after](SteadyTime at) {
    if (at > after && (!wake || at < *wake)) wake = at;
  };
  if (const auto it = hints_.find(incarnation); it != hints_.end()) sooner(it->second);
  for (const SteadyTime at : deaths_) sooner(at);
  if (const auto it = cancels_.find(incarnation); it != cancels_.end())
    for (const Cancel &cancel : it->second) sooner(cancel.at);
  return wake;
}

}  // namespace agent_queue::sim
