#include "pg/api/enqueue_terms.hpp"

#include <algorithm>

#include "pg/api/interval.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

bool is_given(FunctionCallInfo fcinfo, int argument) {
  return argument != EnqueueArguments::kNone && !PG_ARGISNULL(argument);
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

void copy(EnqueueTerms &terms, int parameter, FunctionCallInfo fcinfo, int argument) {
  if (is_given(fcinfo, argument)) set(terms, parameter, PG_GETARG_DATUM(argument));
}

// As timestamptz + interval: months and days by the calendar.
TimestampTz later(TimestampTz time, Datum interval) {
  return guard([&] {
    return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(time), interval));
  });
}

void read_times(EnqueueTerms &terms, FunctionCallInfo fcinfo, sql::Jobs jobs, const EnqueueArguments &arguments) {
  TimestampTz run_at = terms.now;
  if (is_given(fcinfo, arguments.delay)) {
    const Datum delay = PG_GETARG_DATUM(arguments.delay);
    if (!is_finite_interval(delay)) refuse_interval("delay is not finite", "");
    if (interval_micros(delay) < 0) refuse_interval("delay is negative", "Leave delay out to run the job at once.");
    if (interval_micros(delay) > 0) {
      run_at = later(terms.now, delay);
      set(terms, 6, TimestampTzGetDatum(run_at));
    }
  }
  if (!is_given(fcinfo, arguments.expires_in)) {
    if (jobs == sql::Jobs::many) set(terms, 7, TimestampTzGetDatum(DT_NOEND));
    return;
  }
  const Datum expires_in = PG_GETARG_DATUM(arguments.expires_in);
  if (interval_micros(expires_in) <= 0) refuse_interval("expires_in is not positive", "");
  set(terms, 7, TimestampTzGetDatum(is_finite_interval(expires_in) ? later(run_at, expires_in) : DT_NOEND));
}

}  // namespace

EnqueueTerms read_enqueue_terms(FunctionCallInfo fcinfo, sql::Jobs jobs, const EnqueueArguments &arguments) {
  if (!is_given(fcinfo, arguments.agent_type)) refuse_null("agent_type");
  if (!is_given(fcinfo, arguments.request)) refuse_null(jobs == sql::Jobs::one ? "request" : "requests");
  EnqueueTerms terms;
  std::fill(std::begin(terms.nulls), std::end(terms.nulls), 'n');
  terms.now = GetCurrentTimestamp();
  copy(terms, 1, fcinfo, arguments.agent_type);
  copy(terms, 2, fcinfo, arguments.request);
  copy(terms, 3, fcinfo, arguments.user);
  copy(terms, 4, fcinfo, arguments.priority);
  copy(terms, 5, fcinfo, arguments.queue);
  copy(terms, 8, fcinfo, arguments.max_retries);
  copy(terms, 9, fcinfo, arguments.key);
  read_times(terms, fcinfo, jobs, arguments);
  terms.skips_cache = is_given(fcinfo, arguments.skip_cache) && PG_GETARG_BOOL(arguments.skip_cache);
  if (is_given(fcinfo, arguments.user)) {
    terms.user.emplace();
    const auto *bytes = DatumGetUUIDP(PG_GETARG_DATUM(arguments.user))->data;
    std::copy(bytes, bytes + UUID_LEN, terms.user->begin());
  }
  return terms;
}

}  // namespace agent_queue::pg
