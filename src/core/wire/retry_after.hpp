// How long a provider asks us to wait, in all the variants they use. Pure. Tested in test/unit/wire_test.cpp.
//
// In order: retry-after-ms; retry-after (seconds, fractions allowed, or an HTTP date, RFC 9110 section 10.2.3);
// google.rpc.RetryInfo.retryDelay ("38s") in the body; the latest of x-ratelimit-reset-{requests,tokens} whose
// x-ratelimit-remaining-* is 0 (Go durations: "1s", "6m0s", "120ms"); the latest of
// anthropic-ratelimit-*-reset whose remaining is 0 (RFC 3339).
#pragma once

#include <optional>
#include <string_view>

#include "core/base/time.hpp"
#include "core/wire/http.hpp"
#include "core/wire/json_read.hpp"

namespace agent_queue {

inline constexpr Micros kRetryAfterMax{std::chrono::hours(24 * 31)};  // longer is cut to this

// `body` may be a discarded or non-object value. Never negative.
std::optional<Micros> retry_after(const HttpResponse &response, const Json &body, WallTime now);

// "Sun, 06 Nov 1994 08:49:37 GMT" and the two obsolete forms.
std::optional<WallTime> parse_http_date(std::string_view text);
// "2026-11-20T08:00:00Z", with fraction and offset.
std::optional<WallTime> parse_rfc3339(std::string_view text);
// "1h2m3.5s", "120ms", "1s"
std::optional<Micros> parse_go_duration(std::string_view text);

}  // namespace agent_queue
