#include "pg/store/fold_task.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/finished_rows.hpp"
#include "pg/store/fold_sql.hpp"
#include "pg/store/upkeep_sql.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr Micros kInterval{std::chrono::seconds(5)};
// Fewer can wait for upkeep_interval: each fold leaves a dead version of the rows that it adds to.
constexpr std::int64_t kMany = 1000;

}  // namespace

SteadyTime FoldTask::next_pass() const {
  if (!last_look_) return {};
  return *last_look_ + std::min<Micros>(kInterval, std::chrono::milliseconds(settings::upkeep_interval_ms));
}

UpkeepTask::Report FoldTask::run_slice(Now now) {
  Report report{.next = Report::Next::pass_is_over};
  try {
    report = work(now);
    store_.note_success();
  } catch (PgError &error) {
    // The transaction is undone as a whole: the next pass takes the same rows.
    if (error.is_cancel_or_shutdown()) throw;
    if (store_.judge(error) == UpkeepStore::Trouble::refused) store_.complain(error, now);
  }
  if (report.next == Report::Next::pass_is_over) tick_.reset();
  return report;
}

UpkeepTask::Report FoldTask::work(Now now) {
  if (!tick_) {
    last_look_ = now.steady;
    tick_ = take_tick(now);
    if (!tick_) return {.next = Report::Next::pass_is_over};
  }
  return fold(now);
}

bool FoldTask::is_due(std::int64_t waiting, Now now) const {
  if (waiting >= kMany || !last_fold_) return waiting > 0;
  return waiting > 0 && now.steady - *last_fold_ >= std::chrono::milliseconds(settings::upkeep_interval_ms);
}

std::optional<FoldTask::Tick> FoldTask::take_tick(Now now) {
  Transaction transaction;
  UpkeepStatements &statements = store_.open(transaction);
  statements.fold_place.run(nullptr, nullptr, KeptPlan::Mode::read_only);
  const std::vector<std::int64_t> place = read_numbers();
  if (!is_due(place[0] - place[1], now)) return std::nullopt;
  if (place[2] != 1)  // an id that a session has put by would come after those behind it were folded
    raise(sqlstate("42P17"),
          {.message = "usage is not folded while the sequence api_usage_id_seq has a CACHE of more than 1",
           .detail = {},
           .hint = "ALTER SEQUENCE api_usage_id_seq CACHE 1, then end the sessions that have written usage."});
  Tick tick{.last_id = place[0], .sources = {}, .writers = {}};
  for (const TextRow &source : query_rows(render_sql(sql::kFoldSources, installation())))
    tick.sources.push_back(static_cast<Oid>(std::stoul(source[0].value_or("0"))));
  tick.writers = writers_of(tick.sources);  // after its last id was read
  transaction.commit();
  return tick;
}

std::size_t FoldTask::count_writers() const {
  if (tick_->writers.empty()) return 0;
  const std::vector<Writer> present = writers_of(tick_->sources);
  const auto is_present = [&](const Writer &writer) {
    return std::find(present.begin(), present.end(), writer) != present.end();
  };
  return static_cast<std::size_t>(std::count_if(tick_->writers.begin(), tick_->writers.end(), is_present));
}

UpkeepTask::Report FoldTask::fold(Now now) {
  Transaction transaction;
  UpkeepStatements &statements = store_.open(transaction);
  if (const std::size_t writers = count_writers(); writers > 0) {
    store_.log().write(LogLevel::debug, "usage up to id " + std::to_string(tick_->last_id) + " is folded when " +
                                            std::to_string(writers) + " transactions have ended");
    return {.next = Report::Next::wait};
  }
  // Each statement has a snapshot of its own: it is younger than that look.
  const std::int64_t from = lock_place(statements);
  if (from >= tick_->last_id) return {.next = Report::Next::pass_is_over};
  const std::int64_t to = std::min(tick_->last_id, from + ids_.value());
  execute_sql(sql::kCommitLazily);
  DatumValue range[] = {Int64GetDatum(from), Int64GetDatum(to)};
  statements.fold.run(range, nullptr, KeptPlan::Mode::read_write);
  DatumValue place[] = {Int64GetDatum(to)};
  statements.move_folded.run(place, nullptr, KeptPlan::Mode::read_write);
  transaction.commit();
  last_fold_ = now.steady;
  return {.next = to < tick_->last_id ? Report::Next::go_on : Report::Next::pass_is_over, .has_changed = true};
}

std::int64_t FoldTask::lock_place(UpkeepStatements &statements) {
  if (statements.lock_folded.run(nullptr, nullptr, KeptPlan::Mode::read_write) > 0) return read_numbers().front();
  statements.begin_folding.run(nullptr, nullptr, KeptPlan::Mode::read_write);
  return 0;
}

}  // namespace agent_queue::pg
