// check_rate_limit(): one request at an endpoint, asked for by an application, in windows of its own beside those of
// jobs. Regime: guarded C++. Tested in sql/rate_limits.sql, test/tap/300_rate_limits.pl and bench/check_rate_limit.
#include <algorithm>
#include <string>

#include "pg/api/caller.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/rate_admission.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/config_cache.hpp"
#include "pg/wrap/installation.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr int kUserArgument = 0;
constexpr int kEndpointArgument = 1;
constexpr int kRequestsArgument = 2;
constexpr int kMinutesArgument = 3;

constexpr int kRequestsMax = 1'000'000;
constexpr int kMinutesMax = 60;
constexpr int kEndpointLengthMax = 200;

[[noreturn]] void refuse(SqlState state, std::string message, std::string hint) {
  raise(state, {.message = std::move(message), .detail = {}, .hint = std::move(hint)});
}

// POD only.
std::string_view text_argument(FunctionCallInfo fcinfo, int argument) {
  const text *value = PG_GETARG_TEXT_PP(argument);
  return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

// In the server's encoding.
std::string_view read_endpoint(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(kEndpointArgument)) refuse(sqlstate("22004"), "p_endpoint is NULL", {});
  const std::string_view endpoint = guard([&] { return text_argument(fcinfo, kEndpointArgument); });
  int characters = static_cast<int>(endpoint.size());
  if (characters > kEndpointLengthMax)
    characters = guard([&] { return pg_mbstrlen_with_len(endpoint.data(), static_cast<int>(endpoint.size())); });
  if (characters < 1 || characters > kEndpointLengthMax)
    refuse(sqlstate("22023"),
           "p_endpoint has " + std::to_string(characters) + " characters, which is not from 1 to 200",
           "Give the name of an endpoint, such as that of an agent type.");
  if (std::any_of(endpoint.begin(), endpoint.end(), is_control))
    refuse(sqlstate("22023"), "p_endpoint has a control character", {});
  return endpoint;
}

int read_int(FunctionCallInfo fcinfo, int argument, const char *name, int low, int high, const char *hint) {
  const int value = PG_GETARG_INT32(argument);
  if (value < low || value > high)
    refuse(sqlstate("22023"),
           std::string(name) + " is " + std::to_string(value) + ", which is not from " + std::to_string(low) + " to " +
               std::to_string(high),
           hint);
  return value;
}

// Empty: the tier's rule is asked for.
std::optional<RateLimit> read_limit(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(kMinutesArgument)) refuse(sqlstate("22004"), "p_window_minutes is NULL", {});
  const int minutes =
      read_int(fcinfo, kMinutesArgument, "p_window_minutes", 1, kMinutesMax, "A window lasts an hour at most.");
  if (PG_ARGISNULL(kRequestsArgument)) return std::nullopt;
  const int requests = read_int(fcinfo, kRequestsArgument, "p_max_requests", 0, kRequestsMax,
                                "0 accepts nothing; NULL is the rule of the user's tier.");
  return RateLimit{requests, std::chrono::minutes(minutes)};
}

// The parameters as a user: empty: the caller, or the system.
std::optional<UserId> read_user(FunctionCallInfo fcinfo) {
  std::optional<UserId> wanted;
  if (!PG_ARGISNULL(kUserArgument)) {
    const auto *bytes = DatumGetUUIDP(PG_GETARG_DATUM(kUserArgument))->data;
    std::copy(bytes, bytes + UUID_LEN, wanted.emplace().begin());
  }
  return resolve_user(wanted, installation());
}

bool check_rate_limit(FunctionCallInfo fcinfo) {
  const std::string_view given = read_endpoint(fcinfo);
  std::optional<RateLimit> limit = read_limit(fcinfo);
  const std::optional<UserId> user = read_user(fcinfo);
  std::string storage;
  const std::string_view endpoint = to_utf8(given, storage);
  const shared::WindowSpace space = limit ? shared::WindowSpace::given_checks : shared::WindowSpace::checks;
  if (!limit && user) limit = tier_limit(*current_catalog(), *user, endpoint);
  if (!limit) return true;
  const shared::WindowKind kind = user ? shared::WindowKind::user : shared::WindowKind::system;
  const shared::WindowRequest window{{MyDatabaseId, space, kind, user.value_or(UserId{}), endpoint}, *limit};
  const shared::ChargeResult result = charge_and_note(&window, 1, 1, nullptr);
  raise_unless_judged(result);
  return result.outcome == shared::ChargeOutcome::accepted;
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_check_rate_limit) {
  return BoolGetDatum(agent_queue::pg::check_rate_limit(fcinfo));
}
