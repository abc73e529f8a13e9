// The table of text so far, with the rules that hold for it: parts without gaps, no more often than the agent type
// allows, a beginning of the final text, and gone when the attempt is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

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
  void remove(JobId id, WallTime started_at) { texts_.erase({id.value, started_at}); }
  // Those of which `is_under_way` says no.
  void sweep(const std::function<bool(JobId id, WallTime started_at)> &is_under_way);
  void clear() { texts_.clear(); }  // a crash of the server

  std::uint64_t written() const { return written_; }
  void check_empty() const;

 private:
  struct Text {
    int parts = 0;
    std::int64_t chars = 0;
    std::string text;
    SteadyTime last_write;
  };
  void problem(JobId id, const std::string &what) const;

  Problems &problems_;
  // A cancelled job may run again before its old call is settled.
  std::map<std::pair<std::int64_t, WallTime>, Text> texts_;
  std::uint64_t written_ = 0;
};

}  // namespace agent_queue::sim
