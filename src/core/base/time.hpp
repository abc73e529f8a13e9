// The two kinds of time, told apart by type. Nothing in core, ports, net or engine reads a clock
// by itself: time comes in as an argument, so that the simulator can own it.
#pragma once

#include <chrono>
#include <cstdint>

namespace agent_queue {

using Micros = std::chrono::microseconds;

// UTC, as stored in tables. May jump.
using WallTime = std::chrono::sys_time<Micros>;

// For waiting and time-outs. Never jumps back.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Micros>;

struct Now {
  WallTime wall;
  SteadyTime steady;
};

}  // namespace agent_queue
