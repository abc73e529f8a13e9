#include "pg/store/lane_claimer.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "pg/boundary/guard.hpp"
#include "pg/shared/line.hpp"
#include "pg/wrap/arrays.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr std::size_t kSetAsideMax = 1000;
constexpr Micros kSetAsideTime{std::chrono::minutes(1)};
constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();

}  // namespace

// Looks at the index once for all lanes. A lane without a name may get one here; its bound is taken before the look and
// given back, so that no commit in between is lost.
void LaneClaimer::name_strangers(Statements &statements) {
  const std::size_t first = visits_.size();
  for (const shared::Lane stranger : directory_.strangers()) {
    const std::optional<std::int64_t> bound = shared::take(stranger);
    if (bound) visits_.push_back({stranger, bound, std::nullopt});
  }
  // With a snapshot that is younger than the bounds taken.
  statements.waiting_lanes.run(nullptr, nullptr, KeptPlan::Mode::read_write);
  directory_.note_waiting(read_lane_names());
  const auto is_named = [&](const Visit &visit) {
    for (const shared::Lane stranger : directory_.strangers())
      if (stranger.index == visit.lane.index) return false;
    shared::offer(visit.lane, *visit.before);
    return true;
  };
  visits_.erase(std::remove_if(visits_.begin() + static_cast<std::ptrdiff_t>(first), visits_.end(), is_named),
                visits_.end());
}

std::vector<std::size_t> LaneClaimer::lanes_to_visit(Sweep sweep) {
  const std::vector<KnownLane> &lanes = directory_.lanes();
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const std::size_t number = (first_lane_ + i) % lanes.size();
    const KnownLane &lane = lanes[number];
    if (!lane.is_open) continue;
    // Where the table of lanes is full, what the last sweep saw is all that is known.
    const bool is_seen = lane.is_waiting && (sweep == Sweep::open || lane.lane.index < 0);
    if (is_seen || shared::is_offered(lane.lane)) numbers.push_back(number);
  }
  if (!lanes.empty()) first_lane_ = (first_lane_ + 1) % lanes.size();
  return numbers;
}

int LaneClaimer::visit(Statements &statements, std::size_t lane_number, int limit, Sweep sweep,
                       std::vector<Found> &found) {
  const KnownLane &lane = directory_.lanes()[lane_number];
  if (lane.concurrency) limit = permits_.take(lane.name.queue, *lane.concurrency, limit);
  if (limit == 0) {
    // The bound stays where it is; but a sweep may have found jobs where none was.
    if (sweep == Sweep::open) visits_.push_back({lane.lane, std::nullopt, kLowest});
    return 0;
  }
  visits_.push_back({lane.lane, shared::take(lane.lane), std::nullopt});  // from here on an abort gives the bound back
  Visit &visit = visits_.back();

  const std::int64_t from = sweep == Sweep::open || !visit.before ? kLowest : *visit.before;
  std::vector<std::optional<std::int64_t>> passed_over;
  for (const SetAside &row : set_aside_) passed_over.emplace_back(row.job.value);
  DatumValue values[] = {text_datum(lane.name.queue), text_datum(lane.name.agent_type), Int64GetDatum(from),
                         Int32GetDatum(limit), int8_array(passed_over)};
  const auto count = static_cast<int>(statements.claim_lane.run(values, nullptr, KeptPlan::Mode::read_write));
  for (JobRow &row : read_job_rows()) {
    tried_.push_back(row.job.id);
    found.push_back({lane_number, std::move(row)});
  }
  if (count >= limit) visit.after = found.back().row.claim_key;
  return count;
}

ClaimResult LaneClaimer::claim(Statements &statements, std::shared_ptr<const Catalog> catalog, int limit, Sweep sweep,
                               Now now) {
  catalog_ = std::move(catalog);
  directory_.refresh(catalog_);
  tried_.clear();
  std::erase_if(set_aside_, [&](const SetAside &row) { return row.until <= now.steady; });
  if (sweep == Sweep::open || directory_.has_offered_stranger()) name_strangers(statements);

  // Every lane that has work gets an even share of the room; what one leaves over is shared by those behind it.
  const std::vector<std::size_t> lanes = lanes_to_visit(sweep);
  std::vector<Found> found;
  int room = limit;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const int lanes_left = static_cast<int>(lanes.size() - i);
    if (room > 0)
      room -= visit(statements, lanes[i], std::max(1, room / lanes_left), sweep, found);
    else if (sweep == Sweep::open)  // this sweep saw that it has jobs and did not come to it: somebody must
      visits_.push_back({directory_.lanes()[lanes[i]].lane, std::nullopt, kLowest});
  }
  ClaimResult result;
  if (!found.empty()) mark(statements, found, now, result);
  result.more_waiting = std::any_of(visits_.begin(), visits_.end(), [](const Visit &v) { return v.after.has_value(); });
  return result;
}

void LaneClaimer::mark(Statements &statements, std::vector<Found> &found, Now now, ClaimResult &result) {
  std::vector<JobRow *> rows;
  for (Found &one : found) rows.push_back(&one.row);
  const std::vector<Ruling> rulings = writer_.write(statements, *catalog_, rows, now, result.ended);
  for (std::size_t i = 0; i < found.size(); ++i) {
    ClaimedJob &job = found[i].row.job;
    switch (rulings[i].kind) {
      case Ruling::Kind::refuse:
      case Ruling::Kind::served:
        break;
      case Ruling::Kind::park:
        result.parked_until = std::min(result.parked_until.value_or(rulings[i].run_at), rulings[i].run_at);
        break;
      case Ruling::Kind::begin: {
        const KnownLane &lane = directory_.lanes()[found[i].lane];
        if (lane.concurrency) permits_.bind(lane.name.queue, job.id);
        result.claimed.push_back(std::move(job));
        break;
      }
    }
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
    if (!visit.after) {
      shared::note_drained(visit.lane);
      continue;
    }
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
