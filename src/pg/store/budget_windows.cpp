#include "pg/store/budget_windows.hpp"

#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// POD: TimestampTz, all of them.
struct RawWindows {
  TimestampTz day_start;
  TimestampTz day_end;
  TimestampTz month_start;
  TimestampTz month_end;
};

}  // namespace

// POD only. Midnight of a day in the zone: days may be beyond the end of their month.
static TimestampTz midnight(int year, int month, int day, pg_tz *zone) {
  struct pg_tm tm = {};
  j2date(date2j(year, month, 1) + day - 1, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
  int offset = DetermineTimeZoneOffset(&tm, zone);
  TimestampTz result = 0;
  if (tm2timestamp(&tm, 0, &offset, &result) != 0) elog(ERROR, "timestamp out of range");
  return result;
}

// POD only.
static RawWindows find_windows(TimestampTz now, const char *zone_name) {
  pg_tz *zone = pg_tzset(zone_name);
  struct pg_tm tm = {};
  fsec_t fraction = 0;
  int offset = 0;
  const char *abbreviation = nullptr;
  if (zone == nullptr || timestamp2tm(now, &offset, &tm, &fraction, &abbreviation, zone) != 0)
    elog(ERROR, "the running day cannot be found");
  const bool is_december = tm.tm_mon == MONTHS_PER_YEAR;
  return {.day_start = midnight(tm.tm_year, tm.tm_mon, tm.tm_mday, zone),
          .day_end = midnight(tm.tm_year, tm.tm_mon, tm.tm_mday + 1, zone),
          .month_start = midnight(tm.tm_year, tm.tm_mon, 1, zone),
          .month_end = midnight(is_december ? tm.tm_year + 1 : tm.tm_year, is_december ? 1 : tm.tm_mon + 1, 1, zone)};
}

Windows windows_at(WallTime now) {
  const TimestampTz time = from_wall(now);
  const char *zone = settings::budget_time_zone;
  const RawWindows found = guard([&] { return find_windows(time, zone); });
  return {.day_start = to_wall(found.day_start),
          .day_end = to_wall(found.day_end),
          .month_start = to_wall(found.month_start),
          .month_end = to_wall(found.month_end)};
}

Windows roll_windows(shared::LedgerKey key, WallTime now) {
  // What the clock says is kept; what the ledger has is not: another process may have rolled it, and the clock may have
  // been set back since.
  static Windows current;
  if (now < current.day_start || now >= current.day_end) current = windows_at(now);
  return shared::roll_windows(key, current);
}

}  // namespace agent_queue::pg
