// The table of text so far, with the rules that hold for it: parts without gaps, no more often than the agent type
// allows, a beginning of the final text, and gone when the attempt is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "core/job/job.hpp"
#include "ports/job_store.hpp"
#include "sim/call_ledger.hpp"

namespace agent_queue::sim {

class StreamTexts {
 public:
  explicit StreamTexts(Problems &problems) : problems_(problems) {}

  void write(const StreamPart &part, Micros interval, SteadyTime now);
  // The settlement of a job with text so far, which goes with it.
  void end(const Settlement &settlement);
  void remove(JobId id) { texts_.erase(id.value); }
  // Those of which `is_under_way` says no.
  void sweep(const std::function<bool(JobId id, WallTime started_at)> &is_under_way);
  void clear() { texts_.clear(); }  // a crash of the server

  std::uint64_t written() const { return written_; }
  void check_empty() const;

 private:
  struct Text {
    WallTime started_at;
    int parts = 0;
    std::int64_t chars = 0;
    std::string text;
    SteadyTime last_write;
  };
  void problem(JobId id, const std::string &what) const;

  Problems &problems_;
  std::map<std::int64_t, Text> texts_;
  std::uint64_t written_ = 0;
};

}  // namespace agent_queue::sim
