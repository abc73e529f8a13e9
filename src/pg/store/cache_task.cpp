#include "pg/store/cache_task.hpp"

#include <string_view>
#include <vector>

#include "pg/boundary/errors.hpp"
#include "pg/shared/cache_uses.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/cells.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/timestamps.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// Between two passes that are not enough: an entry needs time to be asked for.
constexpr Micros kRestUnderPressure{std::chrono::seconds(1)};

CacheRoom bounds() {
  return {settings::cache_max_entries, std::int64_t{settings::cache_max_mb} * 1024 * 1024};
}

}  // namespace

SteadyTime CacheTask::next_pass() const {
  if (!last_begin_) return {};
  const Micros interval = std::chrono::milliseconds(settings::upkeep_interval_ms);
  return *last_begin_ + (has_to_go_on_ ? std::min(kRestUnderPressure, interval) : interval);
}

UpkeepTask::Report CacheTask::run_slice(Now now) {
  if (!is_in_pass_) {
    is_in_pass_ = true;
    last_begin_ = now.steady;
    last_key_.clear();
    dropped_ = 0;
    hand_.begin_pass(bounds());
  }
  Report report{.next = Report::Next::pass_is_over};
  try {
    report = work(now);
    store_.note_success();
  } catch (PgError &error) {
    if (error.is_cancel_or_shutdown()) throw;
    if (store_.judge(error) == UpkeepStore::Trouble::refused) store_.complain(error, now);
  }
  is_in_pass_ = report.next != Report::Next::pass_is_over;
  if (!is_in_pass_) has_to_go_on_ = hand_.is_over(bounds());
  return report;
}

UpkeepTask::Report CacheTask::work(Now now) {
  Transaction transaction;
  UpkeepStatements &statements = store_.open(transaction);
  const Datum at = TimestampTzGetDatum(from_wall(now.wall));
  DatumValue look[] = {text_datum(last_key_), Int32GetDatum(rows_.value()), at};
  statements.walk_cache.run(look, nullptr, KeptPlan::Mode::read_only);
  const std::vector<TextRow> rows = read_text_rows();
  std::vector<std::optional<std::string_view>> ended, evicted;
  for (const TextRow &row : rows) {
    const std::string &key = *row[0];
    const bool is_dead = row[2] == "t";
    const bool was_used = !is_dead && hand_.is_pressed() && shared::take_cache_use(key);
    if (hand_.passes(whole(row[1]), is_dead, was_used)) (is_dead ? ended : evicted).emplace_back(key);
  }
  if (!ended.empty() || !evicted.empty()) {
    DatumValue drop[] = {text_array(ended), text_array(evicted), at};
    dropped_ += statements.drop_cached.run(drop, nullptr, KeptPlan::Mode::read_write);
  }
  transaction.commit();
  if (!rows.empty()) last_key_ = *rows.back()[0];
  const bool is_over = rows.size() < static_cast<std::size_t>(rows_.value());
  return {.next = is_over ? Report::Next::pass_is_over : Report::Next::go_on,
          .has_changed = !ended.empty() || !evicted.empty()};
}

}  // namespace agent_queue::pg
