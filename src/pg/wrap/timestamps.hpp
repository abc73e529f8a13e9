// TimestampTz ↔ WallTime: both count microseconds, from 2000 and from 1970.
#pragma once

#include <cstdint>

#include "core/base/time.hpp"

namespace agent_queue::pg {

inline constexpr Micros kPostgresEpoch{std::int64_t{946'684'800} * 1'000'000};

inline WallTime to_wall(std::int64_t timestamptz) {
  return WallTime{Micros{timestamptz} + kPostgresEpoch};
}
inline std::int64_t from_wall(WallTime time) {
  return (time.time_since_epoch() - kPostgresEpoch).count();
}

}  // namespace agent_queue::pg
