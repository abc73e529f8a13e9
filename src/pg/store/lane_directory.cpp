#include "pg/store/lane_directory.hpp"

#include <algorithm>
#include <utility>

namespace agent_queue::pg {

KnownLane &LaneDirectory::add(LaneName name) {
  const shared::Lane lane = shared::find_lane(database_, name.queue, name.agent_type);
  const Queue *queue = find_name(catalog_->queues, name.queue);
  const std::optional<int> concurrency = queue == nullptr ? std::nullopt : queue->concurrency;
  const bool is_open = catalog_->is_open(name.queue);
  std::erase_if(strangers_, [&](shared::Lane stranger) { return stranger.index == lane.index; });
  return lanes_.emplace_back(KnownLane{std::move(name), lane, is_open, concurrency, false});
}

void LaneDirectory::refresh(const std::shared_ptr<const Catalog> &catalog) {
  if (catalog != catalog_) {
    catalog_ = catalog;
    lanes_.clear();
    strangers_.clear();
    seen_ = 0;
    for (const auto &[name, type] : catalog->agent_types) add({type.queue, name});
  }
  while (true) {
    const shared::Lane next = shared::next_lane(database_, seen_);
    if (next.index < 0) return;
    seen_ = next.index + 1;
    const bool is_known = std::any_of(lanes_.begin(), lanes_.end(),
                                      [&](const KnownLane &known) { return known.lane.index == next.index; });
    if (!is_known) strangers_.push_back(next);
  }
}

bool LaneDirectory::has_offered_stranger() const {
  return std::any_of(strangers_.begin(), strangers_.end(), [](shared::Lane lane) { return shared::is_offered(lane); });
}

void LaneDirectory::note_waiting(const std::vector<LaneName> &waiting) {
  for (KnownLane &lane : lanes_) lane.is_waiting = false;
  for (const LaneName &name : waiting) {
    const auto known = std::find_if(lanes_.begin(), lanes_.end(), [&](const KnownLane &lane) {
      return lane.name.queue == name.queue && lane.name.agent_type == name.agent_type;
    });
    (known != lanes_.end() ? *known : add(name)).is_waiting = true;
  }
}

}  // namespace agent_queue::pg
