#include "pg/store/lane_claimer.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/catalog/hold.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr std::size_t kSetAsideMax = 1000;
constexpr Micros kSetAsideTime{std::chrono::minutes(1)};
constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();

DatumValue text_datum(const std::string &utf8) {
  const char *bytes = utf8.c_str();
  const int size = static_cast<int>(utf8.size());
  return guard([&] { return CStringGetTextDatum(pg_any_to_server(bytes, size, PG_UTF8)); });
}

std::vector<RowPlace> places_of(const std::vector<JobRow> &rows) {
  std::vector<RowPlace> places;
  places.reserve(rows.size());
  for (const JobRow &row : rows) places.push_back(row.place);
  return places;
}

}  // namespace

void LaneClaimer::refresh_lanes(const std::shared_ptr<const Catalog> &catalog) {
  if (catalog == catalog_) return;
  catalog_ = catalog;
  lanes_.clear();
  for (const auto &[name, type] : catalog->agent_types)
    lanes_.push_back({.agent_type = name,
                      .lane = shared::find_lane(database_, name),
                      .is_open = catalog->is_open(type),
                      .is_waiting = false});
  paused_queues_.clear();
  for (const auto &[name, queue] : catalog->queues)
    if (queue.paused) paused_queues_.emplace_back(name);
}

// The full sweep looks at the index once for all lanes. Jobs whose agent type was deleted wait in no lane of the
// catalog: they get one here, so that they can fail.
void LaneClaimer::find_waiting_types(Statements &statements) {
  for (LaneState &lane : lanes_) lane.is_waiting = false;
  statements.waiting_types.run(nullptr, nullptr, KeptPlan::Mode::read_only);
  for (std::string &name : read_texts()) {
    const auto known =
        std::find_if(lanes_.begin(), lanes_.end(), [&](const LaneState &lane) { return lane.agent_type == name; });
    if (known != lanes_.end()) {
      known->is_waiting = true;
      continue;
    }
    const shared::Lane lane = shared::find_lane(database_, name);
    lanes_.push_back({.agent_type = std::move(name), .lane = lane, .is_open = true, .is_waiting = true});
  }
}

int LaneClaimer::visit(Statements &statements, const LaneState &lane, int limit, Sweep sweep,
                       std::vector<JobRow> &rows) {
  Visit visit{lane.lane, shared::take(lane.lane), std::nullopt};
  const bool is_blind = lane.lane.index < 0;
  if (!visit.before && !is_blind && sweep == Sweep::offered) return 0;
  visits_.push_back(visit);  // from here on an abort gives the bound back

  const std::int64_t from = sweep != Sweep::offered || !visit.before ? kLowest : *visit.before;
  std::vector<std::optional<std::int64_t>> passed_over;
  for (const SetAside &row : set_aside_) passed_over.emplace_back(row.job.value);
  DatumValue values[] = {text_datum(lane.agent_type), Int64GetDatum(from), Int32GetDatum(limit),
                         text_array(paused_queues_), int8_array(passed_over)};
  const auto found = static_cast<int>(statements.claim_lane.run(values, nullptr, KeptPlan::Mode::read_write));
  std::vector<JobRow> claimed = read_job_rows();
  for (const JobRow &row : claimed) tried_.push_back(row.job.id);
  if (found >= limit) visits_.back().after = claimed.back().claim_key;
  std::move(claimed.begin(), claimed.end(), std::back_inserter(rows));
  return found;
}

ClaimResult LaneClaimer::claim(Statements &statements, std::shared_ptr<const Catalog> catalog, int limit, Sweep sweep,
                               Now now) {
  refresh_lanes(catalog);
  tried_.clear();
  std::erase_if(set_aside_, [&](const SetAside &row) { return row.until <= now.steady; });
  if (sweep != Sweep::offered) find_waiting_types(statements);

  // Every lane that has work gets an even share of the room; what one leaves over is shared by those behind it.
  std::vector<const LaneState *> waiting;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const LaneState &lane = lanes_[(first_lane_ + i) % lanes_.size()];
    const bool is_swept = sweep == Sweep::everything || (sweep == Sweep::open && lane.is_open);
    if ((is_swept && lane.is_waiting) || lane.lane.index < 0 || shared::is_offered(lane.lane)) waiting.push_back(&lane);
  }
  if (!lanes_.empty()) first_lane_ = (first_lane_ + 1) % lanes_.size();

  std::vector<JobRow> rows;
  int room = limit;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    const int lanes_left = static_cast<int>(waiting.size() - i);
    if (room > 0)
      room -= visit(statements, *waiting[i], std::max(1, room / lanes_left), sweep, rows);
    else if (sweep != Sweep::offered)  // this sweep saw that it has jobs and did not come to it: somebody must
      visits_.push_back({waiting[i]->lane, std::nullopt, kLowest});
  }
  ClaimResult result;
  if (!rows.empty()) mark(statements, rows, now, result);
  result.more_waiting = std::any_of(visits_.begin(), visits_.end(), [](const Visit &v) { return v.after.has_value(); });
  return result;
}

void LaneClaimer::mark(Statements &statements, std::vector<JobRow> &rows, Now now, ClaimResult &result) {
  const auto live_end = std::stable_partition(rows.begin(), rows.end(), [&](const JobRow &row) {
    return !row.job.expires_at || *row.job.expires_at > now.wall;
  });
  std::vector<JobRow> expired(std::make_move_iterator(live_end), std::make_move_iterator(rows.end()));
  rows.erase(live_end, rows.end());
  const DatumValue now_datum = TimestampTzGetDatum(from_wall(now.wall));

  if (!expired.empty()) {
    DatumValue values[] = {tid_array(places_of(expired)), now_datum};
    statements.expire.run(values, nullptr, KeptPlan::Mode::read_write);
    for (const JobRow &row : expired) result.expired.push_back(row.job.id);
  }
  if (rows.empty()) return;

  std::vector<std::string> holds(rows.size());
  std::vector<std::optional<std::string_view>> hold_cells(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const AgentType *type = catalog_->agent_type(rows[i].job.agent_type);
    const std::optional<Usd> hold =
        type == nullptr ? std::nullopt : worst_case_hold(*catalog_, *type, rows[i].job.request.size(), now.wall);
    if (!hold) continue;
    holds[i] = hold->to_string();
    hold_cells[i] = holds[i];
  }
  DatumValue values[] = {tid_array(places_of(rows)), text_array(hold_cells), uuid_datum(claim_bytes(claim_)),
                         now_datum};
  statements.mark_claimed.run(values, nullptr, KeptPlan::Mode::read_write);
  result.claimed.reserve(rows.size());
  for (JobRow &row : rows) {
    row.job.started_at = now.wall;
    result.claimed.push_back(std::move(row.job));
  }
}

std::optional<JobId> LaneClaimer::set_aside_single(Now now) {
  if (tried_.size() != 1 || set_aside_.size() >= kSetAsideMax) return std::nullopt;
  set_aside_.push_back({tried_.front(), now.steady + kSetAsideTime});
  return tried_.front();
}

void LaneClaimer::on_commit() {
  bool is_work_left = false;
  for (const Visit &visit : visits_) {
    if (!visit.after) continue;
    shared::offer(visit.lane, *visit.after);
    is_work_left = true;
  }
  visits_.clear();
  if (is_work_left) shared::announce_work(database_);  // another worker may have more room
}

void LaneClaimer::on_abort() {
  for (const Visit &visit : visits_)
    if (visit.before) shared::offer(visit.lane, *visit.before);
  visits_.clear();
}

}  // namespace agent_queue::pg
