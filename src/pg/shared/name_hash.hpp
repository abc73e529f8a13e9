// How names are known in shared memory: by a hash alone. Two names with one hash share a slot, which costs a wasted
// scan (lanes) or a bound that both share (queues). FNV-1a, 64 bits. Include after pg/pg.hpp.
#pragma once

#include <string_view>

namespace agent_queue::pg::shared {

inline constexpr uint64 kHashSeed = UINT64CONST(14695981039346656037);

inline uint64 hash_name(std::string_view name, uint64 hash = kHashSeed) {
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * UINT64CONST(1099511628211);
  return hash;
}

}  // namespace agent_queue::pg::shared
