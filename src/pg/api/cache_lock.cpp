// cache_get_or_lock(): of all sessions that miss a value one computes it. The lock is PostgreSQL's own, so that
// deadlocks are found, an abort lets go, and pg_locks shows it (advisory, objsubid 16721). Regime: guarded C++.
// Tested in sql/cache_values.sql and test/isolation/specs/cache_*.spec.
#include <algorithm>
#include <chrono>
#include <exception>
#include <string>

#include "core/cache/cache_key.hpp"
#include "pg/api/cache_entry.hpp"
#include "pg/api/cache_session.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/job_wait.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/cache_rows.hpp"
#include "pg/wrap/snapshot.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

using std::chrono::milliseconds;

enum Argument { kType, kData, kTimeout, kUser };

// Postgres' own advisory locks have 1 and 2 here: none of them is ever one of ours.
constexpr uint16 kLockClass = 16721;  // "AQ"

LOCKTAG tag_of(const CacheEntry &entry) {
  const std::uint64_t hash = short_digest(entry.digest);
  LOCKTAG tag;
  SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<uint32>(hash >> 32), static_cast<uint32>(hash), kLockClass);
  return tag;
}

// POD only.
int limit_lock_wait(const char *wait_ms) {
  const int level = NewGUCNestLevel();
  set_config_option("lock_timeout", wait_ms, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  return level;
}

// Within the scope locks are waited for so long at most. When an exception leaves it, the (sub)transaction's abort
// restores the setting.
class LimitedLockWait {
 public:
  explicit LimitedLockWait(int wait_ms) : uncaught_(std::uncaught_exceptions()) {
    const std::string text = std::to_string(wait_ms);
    const char *value = text.c_str();
    guc_level_ = guard([&] { return limit_lock_wait(value); });
  }
  ~LimitedLockWait() {
    if (std::uncaught_exceptions() != uncaught_) return;
    const int level = guc_level_;
    guard_noexcept("restore lock_timeout", [&] { AtEOXact_GUC(true, level); });
  }
  LimitedLockWait(const LimitedLockWait &) = delete;
  LimitedLockWait &operator=(const LimitedLockWait &) = delete;

 private:
  int uncaught_;
  int guc_level_ = 0;
};

[[noreturn]] void raise_timeout(const CacheEntry &entry, milliseconds timeout) {
  raise(sqlstate("55P03"),
        {.message = to_server_encoding("a cached value of type \"" + entry.type + "\" was not there within " +
                                       std::to_string(timeout.count()) + " ms"),
         .detail = "Another session is computing it.",
         .hint = "Give it more time by timeout, or do without the value."});
}

bool lock_at_once(const LOCKTAG &tag) {
  return guard([&] { return LockAcquire(&tag, ExclusiveLock, false, true); }) != LOCKACQUIRE_NOT_AVAIL;
}

// The caller's own lock_timeout holds where it is the shorter one, with Postgres' own error.
void wait_for_lock(const LOCKTAG &tag, const CacheEntry &entry, milliseconds timeout) {
  if (lock_at_once(tag)) return;
  if (timeout == milliseconds(0)) raise_timeout(entry, timeout);
  const auto wait_ms = static_cast<int>(std::min<std::int64_t>(timeout.count(), PG_INT32_MAX));
  const bool is_ours = LockTimeout <= 0 || wait_ms <= LockTimeout;
  try {
    const LimitedLockWait limit(is_ours ? wait_ms : LockTimeout);
    guard([&] { LockAcquire(&tag, ExclusiveLock, false, false); });
  } catch (const PgError &error) {
    if (is_ours && error.sqlstate() == sqlstate("55P03").code) raise_timeout(entry, timeout);
    throw;
  }
}

std::optional<Datum> find_as_of_now(const CacheEntry &entry) {
  LatestSnapshot snapshot;
  const std::optional<Datum> value = find_cached_value(entry.key, guard([] { return GetActiveSnapshot(); }));
  snapshot.pop();
  return value;
}

// Empty: the key is locked, and this session's to compute.
std::optional<Datum> get_or_lock(const CacheEntry &entry, milliseconds timeout) {
  if (const auto value = find_cached_value(entry.key, guard([] { return GetActiveSnapshot(); }))) return value;
  const LOCKTAG tag = tag_of(entry);
  wait_for_lock(tag, entry, timeout);
  // Whoever had the lock may have stored it.
  if (const auto value = find_as_of_now(entry)) {
    guard([&] { LockRelease(&tag, ExclusiveLock, false); });
    return value;
  }
  begin_computation(entry.digest);
  return std::nullopt;
}

// POD only.
Datum make_row(FunctionCallInfo fcinfo, bool has_value, Datum value) {
  TupleDesc description = nullptr;
  get_call_result_type(fcinfo, nullptr, &description);
  Datum values[] = {value, BoolGetDatum(!has_value)};
  bool nulls[] = {!has_value, false};
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls));
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_cache_get_or_lock) {
  using namespace agent_queue::pg;
  if (PG_ARGISNULL(kTimeout)) raise(sqlstate("22004"), {.message = "timeout is NULL", .detail = {}, .hint = {}});
  const milliseconds timeout = read_timeout(PG_GETARG_DATUM(kTimeout));
  const std::optional<Datum> value = get_or_lock(entry_argument(fcinfo, kUser), timeout);
  const bool has_value = value.has_value();
  const Datum found = value.value_or(0);
  return guard([&] { return make_row(fcinfo, has_value, found); });
}
