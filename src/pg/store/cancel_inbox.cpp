#include "pg/store/cancel_inbox.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "pg/shared/cancels.hpp"
#include "pg/store/job_rows.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

bool CancelInbox::is_hinted() const {
  return shared::is_cancel_reported(slot_);
}

bool CancelInbox::take(std::span<const AttemptId> calls, std::vector<std::size_t> &places) {
  std::vector<shared::CancelledCall> told(shared::kCancelsMax);
  const shared::CancelReport report = shared::take_cancels(slot_, told.data());
  std::unordered_multimap<std::int64_t, WallTime> cancelled;
  for (int i = 0; i < report.count; ++i)
    cancelled.emplace(told[static_cast<std::size_t>(i)].job, to_wall(told[static_cast<std::size_t>(i)].started_at));
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto [first, last] = cancelled.equal_range(calls[i].job.value);
    if (std::any_of(first, last, [&](const auto &entry) { return entry.second == calls[i].started_at; }))
      places.push_back(i);
  }
  return report.is_whole;
}

std::vector<std::size_t> CancelInbox::find_lost(Statements &statements, std::span<const AttemptId> calls) const {
  std::vector<std::optional<std::int64_t>> ids;
  ids.reserve(calls.size());
  for (const AttemptId &call : calls) ids.emplace_back(call.job.value);
  DatumValue values[] = {int8_array(ids), uuid_datum(claim_bytes(claim_))};
  statements.still_ours.run(values, nullptr, KeptPlan::Mode::read_only);
  std::unordered_map<std::int64_t, WallTime> ours;
  for (const OwnRow &row : read_own_rows()) ours.emplace(row.id, to_wall(row.started_at));
  std::vector<std::size_t> lost;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto it = ours.find(calls[i].job.value);
    if (it == ours.end() || it->second != calls[i].started_at) lost.push_back(i);
  }
  return lost;
}

}  // namespace agent_queue::pg
