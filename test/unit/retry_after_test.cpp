// How long providers ask us to wait, in each of their dialects, and in none of them.
#include <gtest/gtest.h>

#include <chrono>

#include "core/wire/json_read.hpp"
#include "core/wire/retry_after.hpp"

namespace agent_queue {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = *parse_rfc3339("2026-11-20T08:00:00Z");

std::optional<Micros> wait_for(std::vector<HttpHeader> headers, const char *body = "null") {
  HttpResponse response;
  response.headers = std::move(headers);
  return retry_after(response, *parse_json(body), kNow);
}

TEST(RetryAfter, IsNothingWhereNothingIsStated) {
  EXPECT_EQ(wait_for({}), std::nullopt);
  HttpResponse response;
  EXPECT_EQ(retry_after(response, Json(Json::value_t::discarded), kNow), std::nullopt);
}

TEST(RetryAfter, ReadsMillisecondsBeforeSeconds) {
  EXPECT_EQ(wait_for({{"retry-after", "7"}, {"retry-after-ms", "1500"}}), 1500ms);
}

TEST(RetryAfter, ReadsSecondsAndFractions) {
  EXPECT_EQ(wait_for({{"retry-after", "20"}}), 20s);
  EXPECT_EQ(wait_for({{"retry-after", " 1.5 "}}), 1500ms);
  EXPECT_EQ(wait_for({{"retry-after", "0"}}), 0s);
}

TEST(RetryAfter, ReadsADate) {
  EXPECT_EQ(wait_for({{"retry-after", "Fri, 20 Nov 2026 08:01:30 GMT"}}), 90s);
}

TEST(RetryAfter, IsZeroForADateThatHasPassed) {
  EXPECT_EQ(wait_for({{"retry-after", "Fri, 20 Nov 2026 07:00:00 GMT"}}), 0s);
}

TEST(RetryAfter, IsCutToAMonth) {
  EXPECT_EQ(wait_for({{"retry-after", "99999999999"}}), kRetryAfterMax);
  EXPECT_EQ(wait_for({{"retry-after", std::string(500, '9')}}), kRetryAfterMax);
  EXPECT_EQ(wait_for({{"retry-after", "Fri, 20 Nov 9999 07:00:00 GMT"}}), kRetryAfterMax);
}

TEST(RetryAfter, IgnoresWhatItDoesNotUnderstand) {
  for (const char *value : {"", "soon", "-1", "1e5", "nan", "inf", "0x10", "5 s", "1,5", ".", "Fri, 99 Nov 2026"})
    EXPECT_EQ(wait_for({{"retry-after", value}, {"retry-after-ms", value}}), std::nullopt) << value;
}

TEST(RetryAfter, GoesOnToTheNextSourceAfterOneThatIsBroken) {
  EXPECT_EQ(wait_for({{"retry-after-ms", "x"}, {"retry-after", "3"}}), 3s);
}

constexpr const char *kRetryInfo = R"({"error": {"code": 429, "details": [
    {"@type": "type.googleapis.com/google.rpc.QuotaFailure"},
    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "38s"}]}})";

TEST(RetryAfter, ReadsGooglesRetryInfoFromTheBody) {
  EXPECT_EQ(wait_for({}, kRetryInfo), 38s);
  EXPECT_EQ(wait_for({}, ("[" + std::string(kRetryInfo) + "]").c_str()), 38s);
}

TEST(RetryAfter, SurvivesBodiesOfOtherShapes) {
  for (const char *body : {"[]", "[[]]", "[1]", "5", R"({"error": "x"})", R"({"error": {"details": {}}})",
                           R"({"error": {"details": [null, {"@type": "google.rpc.RetryInfo", "retryDelay": 5}]}})"})
    EXPECT_EQ(wait_for({}, body), std::nullopt) << body;
}

TEST(RetryAfter, TakesTheLatestResetOfTheWindowsThatAreUsedUp) {
  EXPECT_EQ(wait_for({{"x-ratelimit-remaining-requests", "0"},
                      {"x-ratelimit-reset-requests", "1s"},
                      {"x-ratelimit-remaining-tokens", "0"},
                      {"x-ratelimit-reset-tokens", "6m0s"}}),
            6min);
}

TEST(RetryAfter, IgnoresWindowsThatAreNotUsedUp) {
  EXPECT_EQ(wait_for({{"x-ratelimit-remaining-requests", "0"},
                      {"x-ratelimit-reset-requests", "120ms"},
                      {"x-ratelimit-remaining-tokens", "5"},
                      {"x-ratelimit-reset-tokens", "6m0s"}}),
            120ms);
  EXPECT_EQ(wait_for({{"x-ratelimit-reset-tokens", "6m0s"}}), std::nullopt);
}

TEST(RetryAfter, ReadsAnthropicsResets) {
  EXPECT_EQ(wait_for({{"anthropic-ratelimit-requests-remaining", "3"},
                      {"anthropic-ratelimit-requests-reset", "2026-11-20T09:00:00Z"},
                      {"anthropic-ratelimit-input-tokens-remaining", "0"},
                      {"anthropic-ratelimit-input-tokens-reset", "2026-11-20T08:00:20Z"},
                      {"anthropic-ratelimit-tokens-remaining", "0"},
                      {"anthropic-ratelimit-tokens-reset", "2026-11-20T08:00:10Z"}}),
            20s);
}

// ---- dates and durations

TEST(ParseHttpDate, ReadsAllThreeForms) {
  const WallTime expected = *parse_rfc3339("1994-11-06T08:49:37Z");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), expected);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), expected);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), expected);
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994"), expected + std::chrono::days(10));
}

TEST(ParseHttpDate, ReadsYearsOfTwoDigitsAsPosixDoes) {
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-26 08:49:37 GMT"), parse_rfc3339("2026-11-06T08:49:37Z"));
}

TEST(ParseHttpDate, RefusesWhatIsNoDate) {
  for (const char *text :
       {"", "Sun", "Sun,", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 PST",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 ovD 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun Nov  6 08:49:37 94", "Sun Nov 6x 08:49:37 1994", "0123456789, 06 Nov 1994 08:49:37 GMT"})
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
}

TEST(ParseRfc3339, ReadsFractionsAndOffsets) {
  EXPECT_EQ(parse_rfc3339("2026-11-20T08:00:00.25Z"), kNow + 250ms);
  EXPECT_EQ(parse_rfc3339("2026-11-20T08:00:00.1234567899Z"), kNow + 123456us);
  EXPECT_EQ(parse_rfc3339("2026-11-20T10:30:00+02:30"), kNow);
  EXPECT_EQ(parse_rfc3339("2026-11-19T22:00:00-10:00"), kNow);
  EXPECT_EQ(parse_rfc3339("2026-11-20 08:00:00z"), kNow);
}

TEST(ParseRfc3339, RefusesWhatIsNoTime) {
  for (const char *text :
       {"", "2026-11-20", "2026-11-20T08:00:00", "2026-13-20T08:00:00Z", "2026-11-31T08:00:00Z", "2026-11-20T25:00:00Z",
        "2026-11-20T08:00:00.Z", "2026-11-20T08:00:00+2:30", "2026-11-20T08:00:00Zx", "26-11-20T08:00:00Z"})
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
}

TEST(ParseGoDuration, AddsUpItsUnits) {
  EXPECT_EQ(parse_go_duration("1s"), 1s);
  EXPECT_EQ(parse_go_duration("6m0s"), 6min);
  EXPECT_EQ(parse_go_duration("120ms"), 120ms);
  EXPECT_EQ(parse_go_duration("1h2m3.5s"), 1h + 2min + 3500ms);
  EXPECT_EQ(parse_go_duration("7.66s"), 7660ms);
  EXPECT_EQ(parse_go_duration("15us"), 15us);
  EXPECT_EQ(parse_go_duration("15\xC2\xB5s"), 15us);
  EXPECT_EQ(parse_go_duration("2000ns"), 2us);
  EXPECT_EQ(parse_go_duration("0"), 0s);
}

TEST(ParseGoDuration, RefusesWhatIsNoDuration) {
  for (const char *text : {"", "s", "5", "5x", "-5s", "5s5", "5 s", "1e3s", "1..5s", "infs"})
    EXPECT_EQ(parse_go_duration(text), std::nullopt) << text;
}

TEST(ParseGoDuration, EndsAtTheEndOfItsRange) {
  EXPECT_EQ(parse_go_duration(std::string(300, '9') + "h"), Micros::max());
  EXPECT_EQ(parse_go_duration("9223372036854775807h"), Micros::max());
}

}  // namespace
}  // namespace agent_queue
