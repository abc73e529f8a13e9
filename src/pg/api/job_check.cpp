// The CHECK of agent_queue: what a job's row must be, whoever writes it. Paid three times a job, so it makes strings
// only for an error. Regime: guarded C++. Tested in sql/config_rows.sql.
#include <string>
#include <string_view>

#include "core/job/job.hpp"
#include "pg/api/encoding.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

enum Argument {
  kStatus,
  kHasResult,
  kErrorCode,
  kPriority,
  kRetryCount,
  kMaxRetries,
  kAgentType,
  kQueue,
  kIdempotencyKey,
};

constexpr int kNameLengthMax = 200;

[[noreturn]] void refuse(std::string message, std::string hint) {
  raise(sqlstate("23514"), {.message = std::move(message), .detail = {}, .hint = std::move(hint)});
}

// In the server's encoding; NULL: empty. Names are hardly ever toasted, and only then can this raise.
std::string_view text_of(FunctionCallInfo fcinfo, int argument) {
  if (PG_ARGISNULL(argument)) return {};
  const Datum datum = PG_GETARG_DATUM(argument);
  const auto *value = reinterpret_cast<const text *>(DatumGetPointer(datum));
  if (VARATT_IS_COMPRESSED(value) || VARATT_IS_EXTERNAL(value)) value = guard([&] { return DatumGetTextPP(datum); });
  return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

void check_length(FunctionCallInfo fcinfo, int argument, const char *name) {
  if (PG_ARGISNULL(argument)) return;
  const std::string_view value = text_of(fcinfo, argument);
  int length = static_cast<int>(value.size());
  if (length > kNameLengthMax)
    length = guard([&] { return pg_mbstrlen_with_len(value.data(), static_cast<int>(value.size())); });
  if (length < 1 || length > kNameLengthMax)
    refuse(std::string(name) + " has " + std::to_string(length) + " characters, which is not from 1 to 200", {});
}

void check_range(FunctionCallInfo fcinfo, int argument, const char *name, int low, int high) {
  if (PG_ARGISNULL(argument)) return;
  const int value = PG_GETARG_INT32(argument);
  if (value < low || value > high)
    refuse(std::string(name) + " is " + std::to_string(value) + ", which is not from " + std::to_string(low) + " to " +
               std::to_string(high),
           {});
}

bool check_job(FunctionCallInfo fcinfo) {
  const std::string_view status = text_of(fcinfo, kStatus);
  if (!is_status_name(status))
    refuse("status is \"" + std::string(status) + "\", which no job has",
           "It is pending, scheduled, processing, completed or failed.");
  if (status == "completed" && !PG_GETARG_BOOL(kHasResult)) refuse("a completed job has no result", {});
  const std::string_view error_code = text_of(fcinfo, kErrorCode);
  if (status == "failed" && PG_ARGISNULL(kErrorCode)) refuse("a failed job has no error_code", {});
  if (!PG_ARGISNULL(kErrorCode) && !is_error_code_name(error_code))
    refuse("error_code is \"" + std::string(error_code) + "\", which is not known",
           "The comment on the column has the list.");
  check_range(fcinfo, kPriority, "priority", 1, 10);
  check_range(fcinfo, kRetryCount, "retry_count", 0, PG_INT32_MAX);
  check_range(fcinfo, kMaxRetries, "max_retries", 0, 100);
  check_length(fcinfo, kAgentType, "agent_type");
  check_length(fcinfo, kQueue, "queue");
  check_length(fcinfo, kIdempotencyKey, "idempotency_key");
  return true;
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_check_job) {
  return BoolGetDatum(agent_queue::pg::check_job(fcinfo));
}
