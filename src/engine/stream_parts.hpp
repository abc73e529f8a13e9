// The text so far of the streamed calls under way, on its way to the store in parts. It is a convenience, never an
// answer: parts are written at most once per interval and call, ride on rounds that are made anyway where there are
// some, and the first thing that is done about a round that failed is to try it without them. From then on parts go
// alone until the store takes some again. A text has no holes: what could not be written comes with the next part, and
// a text that cannot be stored at all ends where it was. Tested in test/unit/stream_parts_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "ports/job_store.hpp"

namespace agent_queue {

class StreamParts {
 public:
  struct Terms {
    JobId job;
    WallTime started_at;
    Micros interval{0};
    bool is_told = false;
  };

  void open(CallId id, const Terms &terms);
  // Clean UTF-8. Calls that were not opened are ignored.
  void add(CallId id, std::string_view text, SteadyTime now);
  // The call has ended. True: some of its text may be stored.
  bool close(CallId id);

  // When parts are due next; nullopt: none wait.
  std::optional<SteadyTime> next_due() const { return next_due_; }
  bool is_due(SteadyTime now) const { return next_due_ && *next_due_ <= now; }
  // No round that does anything else may carry parts.
  bool must_go_alone() const { return is_alone_; }

  // What is due now, for one round; the span stays valid until accept() or refuse(). Where neither follows (a statement
  // was cancelled), the same comes again.
  std::span<const StreamPart> next_batch(SteadyTime now);
  void accept(SteadyTime now);
  // Nothing of the round was stored. Returns the job whose text is given up, if that is what it takes.
  std::optional<JobId> refuse(StoreTrouble trouble, SteadyTime now);

 private:
  struct Text {
    Terms terms;
    std::string waiting;
    std::int64_t chars = 0;  // written
    int parts = 0;           // written
    SteadyTime next_write{};
    bool may_be_stored = false;
    bool is_given_up = false;
  };
  void look_again_at(SteadyTime at);
  void put_back();
  std::vector<std::uint64_t> due_now(SteadyTime now);

  std::unordered_map<std::uint64_t, Text> texts_;  // by CallId
  std::vector<StreamPart> batch_;
  std::vector<std::uint64_t> batch_calls_;
  std::optional<SteadyTime> next_due_;
  SteadyTime not_before_{};  // while the store refuses parts
  bool is_alone_ = false;
  bool was_batch_alone_ = false;
  std::size_t most_ = 0;  // parts a round, while rounds with more fail; 0: as many as there are
  Micros wait_{0};        // after a failure; doubles from one to the next
};

}  // namespace agent_queue
