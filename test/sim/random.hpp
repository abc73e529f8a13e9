// The simulator's only source of chance: splitmix64, the same on every machine and library, so that a seed is a replay.
#pragma once

#include <cstdint>

#include "core/base/time.hpp"

namespace agent_queue::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

  // 0 .. bound - 1
  int below(int bound) { return static_cast<int>(next() % static_cast<std::uint64_t>(bound)); }
  // first .. last
  int between(int first, int last) { return first + below(last - first + 1); }
  bool chance(int percent) { return below(100) < percent; }
  Micros duration(Micros first, Micros last) {
    const auto span = static_cast<std::uint64_t>((last - first).count()) + 1;
    return first + Micros(static_cast<std::int64_t>(next() % span));
  }

 private:
  std::uint64_t state_;
};

}  // namespace agent_queue::sim
