// When a failed attempt is tried again. Pure: the jitter comes from the job's id and attempt, not from a generator.
// Schedule: base, 2 × base, 4 × base … each lengthened by up to 25 %, at most one hour. With base 2 s: 2, 4, 8, 16 s …
#pragma once

#include "core/base/ids.hpp"
#include "core/base/time.hpp"

namespace agent_queue {

inline constexpr Micros kBackoffMax{std::chrono::hours(1)};

// The wait before the next attempt after `failures` failed ones (1 after the first). Never shorter than the schedule.
Micros backoff(Micros base, int failures, JobId id);

}  // namespace agent_queue
