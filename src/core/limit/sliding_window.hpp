// A rate limit as a sliding window: never more than N accepted in any span of its length. An algorithm over the
// caller's memory, plain data without pointers, so that it may lie in shared memory. It reads no clock: times are what
// the caller says, on any clock that does not go back; one that seems to is taken for standing still. Tested in
// test/unit/sliding_window_test.cpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/base/time.hpp"
#include "core/limit/allowance.hpp"

namespace agent_queue {

// Up to so many requests a window keeps the time of each, and is exact: it accepts whenever that is right.
inline constexpr int kExactRequestsMax = 1024;

// Above that it counts in slices, and what is in a slice counts until the last instant of the slice has left the
// window: never too many, and a request may wait a sixty-third of the window longer than need be.
inline constexpr int kWindowSlices = 64;

// How many cells a window of this limit needs.
constexpr int window_cells(const RateLimit &limit) {
  if (limit.max_requests > kExactRequestsMax) return kWindowSlices;
  return std::max(limit.max_requests, 1);
}

// What is kept of a window beside its cells. All zero: nothing was accepted yet.
struct WindowHead {
  std::int64_t length_us;     // of the limit that holds
  std::int64_t newest_slice;  // sliced: the number of the slice that was written last, counted from time 0
  std::int32_t max_requests;
  std::int32_t oldest;  // exact: the cell with the oldest time
  std::int32_t count;   // exact: how many times are kept, those that have left the window included
  bool is_sliced;
};

// A view of a window: owns nothing. The memory must outlive it.
class SlidingWindow {
 public:
  // `cell_count` never changes in the life of a window; at least window_cells() of each limit that is set.
  SlidingWindow(WindowHead &head, std::int64_t *cells, int cell_count)
      : head_(&head), cells_(cells), capacity_(std::min(cell_count, kExactRequestsMax)) {}

  // The limit that holds from now on. What was accepted under another one counts: exactly between exact windows, else
  // as late as it can have been. Before anything else is asked of a new window.
  void set_limit(const RateLimit &limit, Micros now);

  // Fills this new window with what was accepted in another one.
  void take_over(const SlidingWindow &other, Micros now);

  // Requests that count now.
  int used(Micros now) const;

  // How long until `requests` (1 and up) would be accepted together. 0: now. Empty: never, the limit is lower.
  std::optional<Micros> wait_for(int requests, Micros now) const;

  // Accepts `requests` at once; wait_for() them is 0. Returns the time by which they can be given back.
  Micros accept(int requests, Micros now);

  // Takes `requests` back that were accepted with this time. Those that have left the window already, or that are not
  // known by their time any more because the limit has changed its kind, are not looked for.
  void give_back(int requests, Micros at);

  // From when on nothing counts any more: then it is no loss to forget the window.
  Micros idle_at() const;

 private:
  std::int64_t length() const { return head_->length_us; }
  std::int64_t slice_length() const;
  std::int64_t time_at(int index) const { return cells_[(head_->oldest + index) % capacity_]; }
  std::int64_t &slice(std::int64_t number) const { return cells_[number % kWindowSlices]; }
  std::int64_t clamped(Micros now) const;
  int first_counting(std::int64_t now) const;
  std::int64_t oldest_slice(std::int64_t now) const;
  void open_slice(std::int64_t number);
  void add(std::int64_t time, std::int64_t requests);

  WindowHead *head_;
  std::int64_t *cells_;
  int capacity_;
};

}  // namespace agent_queue
