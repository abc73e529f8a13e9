// Which cached entries go when there are too many: the second-chance (clock) algorithm, over passes that walk all
// entries in a fixed order. Entries that were asked for since the hand last wanted them are spared once. Pure.
// Tested in test/unit/clock_hand_test.cpp.
#pragma once

#include <algorithm>
#include <cstdint>

namespace agent_queue {

struct CacheRoom {
  std::int64_t entries = 0;
  std::int64_t bytes = 0;
};

class ClockHand {
 public:
  // A pass begins: what the last one counted beyond the bounds is to go.
  void begin_pass(const CacheRoom &bounds) {
    excess_ = {std::max<std::int64_t>(0, counted_.entries - bounds.entries),
               std::max<std::int64_t>(0, counted_.bytes - bounds.bytes)};
    counted_ = {};
  }

  // Is something to go that is not dead? Only then is it asked whether an entry was used, and only then does that cost
  // the entry its chance.
  bool is_pressed() const { return excess_.entries > 0 || excess_.bytes > 0; }

  // An entry of the pass; true: it goes.
  bool passes(std::int64_t bytes, bool is_dead, bool was_used) {
    const bool goes = is_dead || (is_pressed() && !was_used);
    if (!goes) {
      ++counted_.entries;
      counted_.bytes += bytes;
    } else {
      --excess_.entries;
      excess_.bytes -= bytes;
    }
    return goes;
  }

  // The pass is over: does another have to follow at once?
  bool is_over(const CacheRoom &bounds) const {
    return counted_.entries > bounds.entries || counted_.bytes > bounds.bytes;
  }
  const CacheRoom &counted() const { return counted_; }

 private:
  CacheRoom counted_;
  CacheRoom excess_;
};

}  // namespace agent_queue
