#include "core/upkeep/retention.hpp"

#include <string>

namespace agent_queue {

Verdict RetentionSweep::judge(const FinishedJob &job, WallTime now) {
  const RetentionRule *rule = find_name(rules_, job.queue);
  if (rule == nullptr) return Verdict::keep;
  if (rule->keep_for && job.ended_at && *job.ended_at < now - *rule->keep_for) return Verdict::remove;

  const bool is_completed = job.status == FinishedStatus::completed;
  const std::optional<std::int64_t> &bound = is_completed ? rule->keep_completed : rule->keep_failed;
  if (!bound) return Verdict::keep;
  auto kept = kept_.find(job.queue);
  if (kept == kept_.end()) kept = kept_.emplace(std::string(job.queue), Kept{}).first;
  std::int64_t &count = is_completed ? kept->second.completed : kept->second.failed;
  if (count >= *bound) return Verdict::remove;
  ++count;
  return Verdict::keep;
}

}  // namespace agent_queue
