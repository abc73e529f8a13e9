#include "pg/store/usage_task.hpp"

#include <string>

#include "pg/boundary/errors.hpp"
#include "pg/store/finished_rows.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/timestamps.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

SteadyTime UsageTask::next_pass() const {
  if (!last_begin_) return {};
  return *last_begin_ + std::chrono::milliseconds(settings::upkeep_interval_ms);
}

UpkeepTask::Report UsageTask::run_slice(Now now) {
  if (!is_in_pass_) {
    is_in_pass_ = true;
    last_begin_ = now.steady;
    next_block_.reset();
    removed_ = 0;
  }
  Report report{.next = Report::Next::pass_is_over};
  try {
    report = work(now);
    store_.note_success();
  } catch (PgError &error) {
    // Nothing is lost by leaving the rest to the next pass: a partition that is read for an hour stays for that hour.
    if (error.is_cancel_or_shutdown()) throw;
    if (store_.judge(error) == UpkeepStore::Trouble::refused) store_.complain(error, now);
  }
  is_in_pass_ = report.next != Report::Next::pass_is_over;
  return report;
}

UpkeepTask::Report UsageTask::work(Now now) {
  if (!next_block_) partitions_.make_ahead(now);
  if (settings::keep_usage_months == 0) return {.next = Report::Next::pass_is_over};
  const WallTime before = UsagePartitions::month_before(now.wall, settings::keep_usage_months);
  if (next_block_) return remove_old_rows(before);
  if (partitions_.drop_one_before(before)) return {.next = Report::Next::go_on, .has_changed = true};
  next_block_ = 0;
  return {};
}

UpkeepTask::Report UsageTask::remove_old_rows(WallTime before) {
  const std::int64_t end = *next_block_ + blocks_.value();
  Transaction transaction;
  UpkeepStatements &statements = store_.open(transaction);
  statements.usage_blocks.run(nullptr, nullptr, KeptPlan::Mode::read_only);
  const std::int64_t blocks = read_numbers().front();
  DatumValue values[] = {Int64GetDatum(*next_block_), Int64GetDatum(end), TimestampTzGetDatum(from_wall(before))};
  const std::uint64_t removed = statements.remove_old_usage.run(values, nullptr, KeptPlan::Mode::read_write);
  transaction.commit();
  removed_ += removed;
  next_block_ = end;
  if (end < blocks) return {.next = Report::Next::go_on, .has_changed = removed > 0};
  if (removed_ > 0)
    store_.log().write(LogLevel::log, "deleted " + std::to_string(removed_) + " old rows of api_usage_default");
  return {.next = Report::Next::pass_is_over, .has_changed = removed > 0};
}

}  // namespace agent_queue::pg
