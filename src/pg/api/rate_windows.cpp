// The live windows of the rate limiter as rows, for the view rate_limits. Shared memory has no row-level security: who
// may not act for others gets the windows of the own identity only. Regime: guarded C++. Tested in sql/rate_limits.sql.
#include <optional>

#include "pg/api/caller.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/shared/limiter.hpp"
#include "pg/wrap/installation.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

using shared::WindowKind;
using shared::WindowSpace;
using shared::WindowView;

constexpr int kViewsAtOnce = 64;
constexpr int kColumns = 10;

// POD only, as all below.
const char *kind_name(WindowKind kind) {
  switch (kind) {
    case WindowKind::user:
      return "user";
    case WindowKind::system:
      return "system";
    case WindowKind::agent_type:
      return "agent_type";
    default:
      return "queue";
  }
}

TimestampTz free_at(const WindowView &view, TimestampTz now) {
  return view.free_in ? now + view.free_in->count() : DT_NOEND;
}

void put_window(ReturnSetInfo *result, const WindowView &view, TimestampTz now) {
  pg_uuid_t user;
  memcpy(user.data, view.user.data(), UUID_LEN);
  Datum values[kColumns] = {
      CStringGetTextDatum(kind_name(view.kind)),
      UUIDPGetDatum(&user),
      CStringGetTextDatum(pg_any_to_server(view.name, static_cast<int>(strlen(view.name)), PG_UTF8)),
      CStringGetTextDatum(view.space == WindowSpace::jobs ? "jobs" : "checks"),
      Int32GetDatum(view.used),
      Int32GetDatum(view.limit.max_requests),
      Int32GetDatum(static_cast<int32>(view.limit.window.count() / USECS_PER_SEC)),
      TimestampTzGetDatum(free_at(view, now)),
      Int64GetDatum(static_cast<int64>(view.refused)),
      TimestampTzGetDatum(now - view.last_used_ago.count())};
  bool nulls[kColumns] = {};
  nulls[1] = view.kind != WindowKind::user;
  nulls[7] = view.free_in.has_value() && view.free_in->count() == 0;
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

void put_windows(ReturnSetInfo *result, const UserId *user) {
  shared::WindowWalk walk;
  WindowView views[kViewsAtOnce];
  while (const int count = shared::list_windows(walk, MyDatabaseId, user, views, kViewsAtOnce)) {
    const TimestampTz now = GetCurrentTimestamp();
    for (int i = 0; i < count; ++i) put_window(result, views[i], now);
    CHECK_FOR_INTERRUPTS();
  }
}

void rate_windows(FunctionCallInfo fcinfo) {
  guard([&] { InitMaterializedSRF(fcinfo, 0); });
  auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
  if (may_act_for_others(installation())) return guard([&] { put_windows(result, nullptr); });
  const std::optional<UserId> user = caller_identity();
  if (!user) return;
  const UserId *only = &*user;
  guard([&] { put_windows(result, only); });
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_rate_windows) {
  agent_queue::pg::rate_windows(fcinfo);
  return 0;
}
