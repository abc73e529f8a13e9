#include "pg/api/interval.hpp"

#include <limits>

#include "pg/pg.hpp"

namespace agent_queue::pg {

std::int64_t interval_micros(std::uintptr_t interval) {
  const Interval *span = DatumGetIntervalP(interval);
  const __int128 days = static_cast<__int128>(span->month) * DAYS_PER_MONTH + span->day;
  const __int128 micros = days * USECS_PER_DAY + span->time;
  if (micros > std::numeric_limits<std::int64_t>::max()) return std::numeric_limits<std::int64_t>::max();
  if (micros < std::numeric_limits<std::int64_t>::min()) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(micros);
}

bool is_finite_interval(std::uintptr_t interval) {
  [[maybe_unused]] const Interval *span = DatumGetIntervalP(interval);
  return AQ_INTERVAL_IS_FINITE(span);
}

}  // namespace agent_queue::pg
