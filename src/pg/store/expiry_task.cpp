#include "pg/store/expiry_task.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/shared/waiters.hpp"
#include "pg/store/finished_rows.hpp"
#include "pg/store/upkeep_sql.hpp"
#include "pg/store/whole_update.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/timestamps.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
constexpr Micros kInterval{std::chrono::seconds(5)};

}  // namespace

SteadyTime ExpiryTask::next_pass() const {
  if (!last_begin_) return {};
  return *last_begin_ + std::min<Micros>(kInterval, std::chrono::milliseconds(settings::upkeep_interval_ms));
}

UpkeepTask::Report ExpiryTask::run_slice(Now now) {
  if (!pass_) {
    pass_.emplace();
    last_begin_ = now.steady;
    expired_ = 0;
  }
  Place place = *pass_;
  View view;
  std::vector<PlacedId> jobs;
  try {
    Transaction transaction;
    UpkeepStatements &statements = store_.open(transaction);
    if (place.is_at_end) enter_next_lane(statements, place);
    view = look(statements, place, now);
    if (view.expired > 0) jobs = lock(statements, place, view, now);
    if (!jobs.empty()) expire(statements, jobs, now);
    transaction.commit();
  } catch (PgError &error) {
    if (error.is_cancel_or_shutdown()) throw;
    return take_back(error, std::move(place), jobs, now);
  }
  store_.note_success();
  expire_limit_.succeeded();
  for (const PlacedId &job : jobs) shared::wake_waiters(store_.database(), JobId{job.id});
  return go_on(std::move(place), view, jobs.size(), now);
}

void ExpiryTask::enter_next_lane(UpkeepStatements &statements, Place &place) const {
  DatumValue values[] = {text_datum(place.lane->queue), text_datum(place.lane->agent_type)};
  statements.next_lane.run(values, nullptr, KeptPlan::Mode::read_only);
  std::vector<LaneName> next = read_lane_names();
  if (next.empty())
    place.lane.reset();
  else
    place.lane = std::move(next.front());
  place.key = kLowest;
  place.is_at_end = false;
}

ExpiryTask::View ExpiryTask::look(UpkeepStatements &statements, const Place &place, Now now) const {
  const DatumValue now_datum = TimestampTzGetDatum(from_wall(now.wall));
  if (place.lane) {
    DatumValue values[] = {text_datum(place.lane->queue), text_datum(place.lane->agent_type), Int64GetDatum(place.key),
                           Int64GetDatum(rows_.value()), now_datum};
    statements.look_at_lane.run(values, nullptr, KeptPlan::Mode::read_only);
  } else {
    DatumValue values[] = {Int64GetDatum(place.key), Int64GetDatum(rows_.value()), now_datum};
    statements.look_at_scheduled.run(values, nullptr, KeptPlan::Mode::read_only);
  }
  const std::vector<std::int64_t> numbers = read_numbers();
  return {.seen = numbers[0], .last_key = numbers[1], .expired = numbers[2]};
}

std::vector<PlacedId> ExpiryTask::lock(UpkeepStatements &statements, const Place &place, const View &view, Now now) {
  const DatumValue from = Int64GetDatum(place.key);
  const DatumValue to = Int64GetDatum(view.last_key);
  const DatumValue now_datum = TimestampTzGetDatum(from_wall(now.wall));
  const DatumValue passed_over = int8_array(set_aside_.ids(now.steady));
  const DatumValue most = Int32GetDatum(expire_limit_.value());
  if (place.lane) {
    DatumValue values[] = {
        text_datum(place.lane->queue), text_datum(place.lane->agent_type), from, to, now_datum, passed_over, most};
    statements.lock_expired_in_lane.run(values, nullptr, KeptPlan::Mode::read_write);
  } else {
    DatumValue values[] = {from, to, now_datum, passed_over, most};
    statements.lock_expired_scheduled.run(values, nullptr, KeptPlan::Mode::read_write);
  }
  return read_placed_ids();
}

void ExpiryTask::expire(UpkeepStatements &statements, const std::vector<PlacedId> &jobs, Now now) {
  std::vector<RowPlace> places;
  std::vector<EndedJob> ended;
  for (const PlacedId &job : jobs) {
    places.push_back(job.place);
    ended.push_back({JobId{job.id}, "failed", {}});
  }
  execute_sql(sql::kCommitLazily);
  DatumValue values[] = {tid_array(places), TimestampTzGetDatum(from_wall(now.wall))};
  update_all(statements.expire, values, places.size());
  notifier_.notify(ended, now);
}

UpkeepTask::Report ExpiryTask::go_on(Place place, const View &view, std::size_t expired, Now now) {
  expired_ += expired;
  // More of this slice may be expired than one statement takes: it is looked at again. What is left of it then is
  // locked by others, or set aside.
  const bool is_done = expired == 0 || static_cast<std::int64_t>(expired) == view.expired;
  if (is_done) {
    place.is_at_end = view.seen < rows_.value() || view.last_key == kHighest;
    if (view.last_key > place.key)
      place.key = view.last_key;  // again: it may be the key of others, too
    else if (expired == 0 && !place.is_at_end)
      ++place.key;
  }
  if (!place.is_at_end || place.lane) {
    pass_ = std::move(place);
    return {.next = Report::Next::go_on, .has_changed = expired > 0};
  }
  const double seconds = std::chrono::duration<double>(now.steady - *last_begin_).count();
  store_.log().write(LogLevel::debug, "upkeep let " + std::to_string(expired_) + " waiting jobs expire in " +
                                          std::to_string(seconds) + " s");
  pass_.reset();
  return {.next = Report::Next::pass_is_over, .has_changed = expired > 0};
}

// A user's trigger refuses that a job expires: fewer, until it stands alone and is passed over for a minute. Where too
// many are, the lane is left for this pass.
UpkeepTask::Report ExpiryTask::take_back(const PgError &error, Place place, const std::vector<PlacedId> &jobs,
                                         Now now) {
  if (error.sqlstate() == ERRCODE_PROGRAM_LIMIT_EXCEEDED && strstr(error.what(), "NOTIFY") != nullptr) {
    notifier_.on_queue_full(now);
    return {.next = Report::Next::wait};
  }
  const bool is_refused = store_.judge(error) == UpkeepStore::Trouble::refused;
  if (!is_refused || jobs.empty()) {
    if (is_refused) store_.complain(error, now);
    return {.next = Report::Next::wait};
  }
  expire_limit_.refused(static_cast<int>(jobs.size()));
  if (jobs.size() > 1) return {};
  const JobId job{jobs.front().id};
  if (!set_aside_.add(job, now.steady)) return go_on(std::move(place), {}, 0, now);
  store_.log().write(LogLevel::warning, "job " + std::to_string(job.value) + " cannot expire: " + error.what() +
                                            "; it is passed over for a minute");
  return {};
}

}  // namespace agent_queue::pg
