// Intervals as a length, as Postgres compares them: a month has 30 days, a day 24 hours. POD only.
#pragma once

#include <cstdint>

namespace agent_queue::pg {

// Of an interval Datum, in microseconds, saturated; an infinite interval is as long as can be.
std::int64_t interval_micros(std::uintptr_t interval);

bool is_finite_interval(std::uintptr_t interval);

}  // namespace agent_queue::pg
