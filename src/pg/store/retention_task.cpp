#include "pg/store/retention_task.hpp"

#include <cstdio>
#include <limits>
#include <utility>

#include "pg/boundary/errors.hpp"
#include "pg/store/config_cache.hpp"
#include "pg/store/upkeep_sql.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kIdsLeast = 50;
constexpr std::int64_t kIdsFirst = 500;
constexpr std::size_t kRowsMost = 2000;

std::int64_t below(std::int64_t top, std::int64_t ids) {
  return top < kLowest + ids ? kLowest : top - ids;
}

}  // namespace

RetentionTask::RetentionTask(UpkeepStore &store)
    : store_(store), ids_(kIdsLeast, kIdsFirst, std::numeric_limits<std::int64_t>::max()) {}

SteadyTime RetentionTask::next_pass() const {
  if (!last_begin_ || generation_ != catalog_generation()) return {};
  if (rules_.empty()) return SteadyTime::max();
  return *last_begin_ + std::chrono::milliseconds(settings::upkeep_interval_ms);
}

// How many ids are worth two milliseconds: where they are sparse, or their rows gone, many. A slice that was full says
// nothing about that.
void RetentionTask::note_time(Micros took) {
  if (!was_full_ || took > kSliceTime) ids_.adapt(took);
}

// True: they are others than before.
bool RetentionTask::take_in_rules() {
  generation_ = catalog_generation();  // before looking: what changes meanwhile is looked at again
  std::shared_ptr<const Catalog> catalog = current_catalog();
  if (catalog == catalog_) return false;
  const bool is_first = catalog_ == nullptr;
  catalog_ = std::move(catalog);
  NameMap<RetentionRule> rules;
  for (const auto &[name, queue] : catalog_->queues)
    if (!queue.retention.keeps_everything()) rules.emplace(name, queue.retention);
  if (!is_first && rules == rules_) return false;
  rules_ = std::move(rules);
  return true;
}

UpkeepTask::Report RetentionTask::run_slice(Now now) {
  std::optional<Pass> before = pass_;
  Plan plan;
  std::uint64_t removed = 0;
  try {
    Transaction transaction;
    UpkeepStatements &statements = store_.open(transaction);
    if (take_in_rules()) {
      pass_.reset();
      before.reset();
      last_begin_.reset();
    }
    if (!pass_) {
      if (next_pass() > now.steady) {  // the configuration has changed, the rules have not
        transaction.commit();
        return {.next = Report::Next::pass_is_over};
      }
      begin(statements, now);
      before = pass_;
    }
    plan = decide(statements, now);
    if (!plan.doomed.empty()) {
      execute_sql(sql::kCommitLazily);
      DatumValue values[] = {tid_array(plan.doomed)};
      removed = statements.remove.run(values, nullptr, KeptPlan::Mode::read_write);
    }
    transaction.commit();
  } catch (PgError &error) {
    if (error.is_cancel_or_shutdown()) {
      pass_ = std::move(before);
      throw;
    }
    return take_back(error, std::move(before), plan, now);
  }
  store_.note_success();
  remove_limit_.succeeded();
  return go_on(plan, removed, now);
}

void RetentionTask::begin(UpkeepStatements &statements, Now now) {
  last_begin_ = now.steady;
  Pass pass(RetentionSweep(rules_), now.steady);
  if (!rules_.empty()) {
    statements.newest_job.run(nullptr, nullptr, KeptPlan::Mode::read_only);
    const std::vector<std::int64_t> newest = read_numbers();
    pass.top = newest.empty() ? kLowest : newest.front();
    pass.with_history = statements.is_history_adopted.run(nullptr, nullptr, KeptPlan::Mode::read_only) > 0;
  } else {
    pass.top = kLowest;
  }
  pass_.emplace(std::move(pass));
  ids_ = SliceSize(kIdsLeast, kIdsFirst, std::numeric_limits<std::int64_t>::max());
}

RetentionTask::Plan RetentionTask::decide(UpkeepStatements &statements, Now now) {
  Plan plan;
  if (pass_->top == kLowest) return plan;
  const std::int64_t floor = below(pass_->top, ids_.value());
  DatumValue values[] = {Int64GetDatum(pass_->top), Int64GetDatum(floor), BoolGetDatum(pass_->with_history),
                         Int32GetDatum(kRowsMost)};
  statements.finished.run(values, nullptr, KeptPlan::Mode::read_only);
  const std::vector<FinishedRow> rows = read_finished_rows();
  const auto most = static_cast<std::size_t>(remove_limit_.value());
  std::size_t judged = 0;
  for (; judged < rows.size() && plan.doomed.size() < most; ++judged) {
    const FinishedRow &row = rows[judged];
    if (pass_->sweep.judge(row.job, now.wall) == Verdict::keep) continue;
    plan.doomed.push_back(row.place);
    plan.last_doomed = row.id;
  }
  plan.is_full = judged < rows.size() || rows.size() == kRowsMost;
  const std::int64_t reached = plan.is_full ? below(rows[judged - 1].id, 1) : floor;
  if (reached != kLowest) plan.next_top = reached;
  return plan;
}

UpkeepTask::Report RetentionTask::go_on(const Plan &plan, std::uint64_t removed, Now now) {
  pass_->removed += removed;
  was_full_ = plan.is_full;
  if (plan.next_top) {
    pass_->top = *plan.next_top;
    return {.next = Report::Next::go_on, .has_changed = removed > 0};
  }
  report_pass(now);
  pass_.reset();
  return {.next = Report::Next::pass_is_over};
}

// Somebody refuses that a job is deleted (a trigger, a foreign key): fewer, until it stands alone. Then it is passed
// over, until the next pass.
UpkeepTask::Report RetentionTask::take_back(const PgError &error, std::optional<Pass> before, const Plan &plan,
                                            Now now) {
  const bool is_refused = store_.judge(error) == UpkeepStore::Trouble::refused;
  if (is_refused && plan.doomed.size() == 1) {
    remove_limit_.refused(1);
    if (pass_->refused++ == 0) pass_->first_refusal = "job " + std::to_string(plan.last_doomed) + ": " + error.what();
    return go_on(plan, 0, now);
  }
  pass_ = std::move(before);
  if (is_refused && !plan.doomed.empty()) {
    remove_limit_.refused(static_cast<int>(plan.doomed.size()));
    return {};
  }
  if (is_refused) store_.complain(error, now);
  return {.next = Report::Next::wait};
}

void RetentionTask::report_pass(Now now) const {
  const double seconds = std::chrono::duration<double>(now.steady - pass_->began).count();
  char text[160];
  std::snprintf(text, sizeof(text), "retention deleted %llu finished jobs in %.1f s",
                static_cast<unsigned long long>(pass_->removed), seconds);
  store_.log().write(pass_->removed > 0 ? LogLevel::log : LogLevel::debug, text);
  if (pass_->refused == 0) return;
  store_.log().write(LogLevel::warning, "retention could not delete " + std::to_string(pass_->refused) +
                                            " finished jobs, the first of them " + pass_->first_refusal);
}

}  // namespace agent_queue::pg
