#include "pg/store/promoter.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "pg/shared/lanes.hpp"
#include "pg/store/whole_update.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

void Promoter::promote(Statements &statements, Now now) {
  due_.clear();
  promoted_.clear();
  next_.reset();
  const std::vector<std::optional<std::int64_t>> passed_over = unpromotable_.ids(now.steady);
  DatumValue find[] = {TimestampTzGetDatum(from_wall(now.wall)), Int32GetDatum(limit_.value()),
                       int8_array(passed_over)};
  statements.due.run(find, nullptr, KeptPlan::Mode::read_write);
  due_ = read_placed_ids();
  std::vector<RowPlace> places;
  for (const PlacedId &row : due_) places.push_back(row.place);
  DatumValue promote[] = {tid_array(places)};
  statements.promote.run(promote, nullptr, KeptPlan::Mode::read_write);
  promoted_ = read_lane_keys();
  check_all_updated(promoted_.size(), due_.size());
  DatumValue look[] = {int8_array(passed_over)};
  statements.next_due.run(look, nullptr, KeptPlan::Mode::read_write);  // sees what was promoted
  for (const std::int64_t run_at : read_ids()) next_ = to_wall(run_at);
}

int Promoter::on_commit() {
  limit_.succeeded();
  next_due_ = next_;
  for (const LaneKey &lane : promoted_)
    shared::offer(shared::find_lane(database_, lane.lane.queue, lane.lane.agent_type), lane.claim_key);
  if (!promoted_.empty()) shared::announce_work(database_);
  return static_cast<int>(promoted_.size());
}

// A row that cannot be promoted (a user's trigger refuses the update) would hold up all others for ever: fewer and
// fewer are tried, and when the one row stands alone, it is passed over for a while.
void Promoter::on_refusal(const std::string &message, Now now) {
  limit_.refused(static_cast<int>(due_.size()));
  if (due_.size() == 1 && unpromotable_.add(JobId{due_.front().id}, now.steady))
    log_.write(LogLevel::warning, "job " + std::to_string(due_.front().id) + " cannot be promoted: " + message +
                                      "; it is passed over for a minute");
}

std::optional<WallTime> Promoter::next_due() const {
  const std::int64_t hinted = shared::peek_due(database_);
  if (hinted == shared::kNothingDue) return next_due_;
  return next_due_ ? std::min(*next_due_, to_wall(hinted)) : to_wall(hinted);
}

void Promoter::note_due(WallTime run_at) {
  next_due_ = next_due_ ? std::min(*next_due_, run_at) : run_at;
}

}  // namespace agent_queue::pg
