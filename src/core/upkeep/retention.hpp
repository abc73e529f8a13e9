// Which finished jobs are kept: agent_queues.keep_completed, keep_failed and keep_for. Pure. Tested in
// test/unit/upkeep_test.cpp.
//
// A sweep is given the finished jobs from the highest id down. Of each queue and status the first that may stay are
// counted; what comes after them, or ended too long ago, goes. What goes for its age is in no count.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/name_map.hpp"
#include "core/base/time.hpp"

namespace agent_queue {

// Of one queue; empty: no bound.
struct RetentionRule {
  std::optional<std::int64_t> keep_completed;
  std::optional<std::int64_t> keep_failed;
  std::optional<Micros> keep_for;

  bool keeps_everything() const { return !keep_completed && !keep_failed && !keep_for; }
  bool operator==(const RetentionRule &) const = default;
};

enum class FinishedStatus { completed, failed };

struct FinishedJob {
  std::string_view queue;
  FinishedStatus status = FinishedStatus::completed;
  std::optional<WallTime> ended_at;  // empty: not known, or not finite; never too long ago
};

enum class Verdict { keep, remove };

// Copyable: a slice that could not be carried out is taken back by going on with the copy from before it.
class RetentionSweep {
 public:
  explicit RetentionSweep(NameMap<RetentionRule> rules) : rules_(std::move(rules)) {}

  // A queue without a rule keeps everything.
  Verdict judge(const FinishedJob &job, WallTime now);

  const NameMap<RetentionRule> &rules() const { return rules_; }

 private:
  struct Kept {
    std::int64_t completed = 0;
    std::int64_t failed = 0;
  };
  NameMap<RetentionRule> rules_;  // those that bound something
  NameMap<Kept> kept_;
};

}  // namespace agent_queue
