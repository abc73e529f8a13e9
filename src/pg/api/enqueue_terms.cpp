#include "pg/api/enqueue_terms.hpp"

#include <algorithm>

#include "pg/api/interval.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// In the order of the SQL functions.
enum Argument { kAgentType, kRequest, kUser, kPriority, kDelay, kExpiresIn, kMaxRetries, kSkipCache, kKey, kQueue };

bool is_given(FunctionCallInfo fcinfo, Argument argument) {
  return !PG_ARGISNULL(argument);
}

[[noreturn]] void refuse_null(const char *what) {
  raise(sqlstate("22004"), {.message = std::string(what) + " is NULL", .detail = {}, .hint = {}});
}

[[noreturn]] void refuse_interval(const char *message, const char *hint) {
  raise(sqlstate("22023"), {.message = message, .detail = {}, .hint = hint});
}

void set(EnqueueTerms &terms, int parameter, Datum value) {
  terms.values[parameter - 1] = value;
  terms.nulls[parameter - 1] = ' ';
}

void copy(EnqueueTerms &terms, int parameter, FunctionCallInfo fcinfo, Argument argument) {
  if (is_given(fcinfo, argument)) set(terms, parameter, PG_GETARG_DATUM(argument));
}

// As timestamptz + interval: months and days by the calendar.
TimestampTz later(TimestampTz time, Datum interval) {
  return guard([&] {
    return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(time), interval));
  });
}

void read_times(EnqueueTerms &terms, FunctionCallInfo fcinfo, sql::Jobs jobs) {
  TimestampTz run_at = terms.now;
  if (is_given(fcinfo, kDelay)) {
    const Datum delay = PG_GETARG_DATUM(kDelay);
    if (!is_finite_interval(delay)) refuse_interval("delay is not finite", "");
    if (interval_micros(delay) < 0) refuse_interval("delay is negative", "Leave delay out to run the job at once.");
    if (interval_micros(delay) > 0) {
      run_at = later(terms.now, delay);
      set(terms, 6, TimestampTzGetDatum(run_at));
    }
  }
  if (!is_given(fcinfo, kExpiresIn)) {
    if (jobs == sql::Jobs::many) set(terms, 7, TimestampTzGetDatum(DT_NOEND));
    return;
  }
  const Datum expires_in = PG_GETARG_DATUM(kExpiresIn);
  if (interval_micros(expires_in) <= 0) refuse_interval("expires_in is not positive", "");
  set(terms, 7, TimestampTzGetDatum(is_finite_interval(expires_in) ? later(run_at, expires_in) : DT_NOEND));
}

}  // namespace

EnqueueTerms read_enqueue_terms(FunctionCallInfo fcinfo, sql::Jobs jobs) {
  if (!is_given(fcinfo, kAgentType)) refuse_null("agent_type");
  if (!is_given(fcinfo, kRequest)) refuse_null(jobs == sql::Jobs::one ? "request" : "requests");
  EnqueueTerms terms;
  std::fill(std::begin(terms.nulls), std::end(terms.nulls), 'n');
  terms.now = GetCurrentTimestamp();
  copy(terms, 1, fcinfo, kAgentType);
  copy(terms, 2, fcinfo, kRequest);
  copy(terms, 3, fcinfo, kUser);
  copy(terms, 4, fcinfo, kPriority);
  copy(terms, 5, fcinfo, kQueue);
  copy(terms, 8, fcinfo, kMaxRetries);
  copy(terms, 9, fcinfo, kKey);
  read_times(terms, fcinfo, jobs);
  if (is_given(fcinfo, kUser)) {
    terms.user.emplace();
    const auto *bytes = DatumGetUUIDP(PG_GETARG_DATUM(kUser))->data;
    std::copy(bytes, bytes + UUID_LEN, terms.user->begin());
  }
  return terms;
}

}  // namespace agent_queue::pg
