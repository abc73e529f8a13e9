// Numbers that look random and are always the same for the same input: jitter and weighted choices without a
// generator, so that a simulated run can be repeated.
#pragma once

#include <cstdint>

namespace agent_queue {

// The finaliser of splitmix64 (Steele, Lea, Flood 2014): each input bit changes about half of the output bits.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return mix(mix(a) ^ b);
}

}  // namespace agent_queue
