// At what pace upkeep works beside the queue: in slices of a few milliseconds, with rests between them that leave the
// worker to the jobs. Pure. Tested in test/unit/upkeep_test.cpp.
#pragma once

#include <cstdint>

#include "core/base/time.hpp"

namespace agent_queue {

// What a slice should take: what a call that ends meanwhile waits at most, more or less.
inline constexpr Micros kSliceTime{std::chrono::milliseconds(2)};

// How much (rows, ids, blocks) one slice takes on: more while slices are quick, less while they are slow.
class SliceSize {
 public:
  constexpr SliceSize(std::int64_t least, std::int64_t first, std::int64_t most)
      : least_(least), most_(most), size_(first) {}

  std::int64_t value() const { return size_; }
  void adapt(Micros took);

 private:
  std::int64_t least_;
  std::int64_t most_;
  std::int64_t size_;
};

enum class Load {
  idle,  // there was no job for a while
  busy,
};
enum class SliceKind {
  looked,   // read rows only
  changed,  // there was something to do, and there may be more of it
};

// How long upkeep leaves the worker alone after a slice: a twenty-fifth of the time is its own while jobs run or
// nothing is found; a quarter while the worker has nothing else to do and there is much to clean away.
Micros rest_after(Micros took, Load load, SliceKind kind);

}  // namespace agent_queue
