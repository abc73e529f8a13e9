// What HTTP errors mean, by body, status and headers: decoded as OpenAI's format, which shares this with the others.
#include <gtest/gtest.h>

#include "core/provider/http_failure.hpp"
#include "core/wire/text_clean.hpp"
#include "unit/decoded.hpp"

namespace agent_queue {
namespace {

using namespace decoded;
using namespace std::chrono_literals;

TEST(HttpFailure, WaitsForARateLimitAsLongAsItSays) {
  const Failure failure = failure_of(decode(429, fixture("error_rate_limit.json"), {{"retry-after", "20"}}));
  EXPECT_EQ(failure.kind, FailureClass::rate_limited);
  EXPECT_EQ(failure.http_status, 429);
  EXPECT_EQ(failure.retry_after, 20s);
  EXPECT_TRUE(failure.message.starts_with("HTTP 429: Rate limit reached for gpt-4o-mini")) << failure.message;
}

TEST(HttpFailure, HasNoWaitWhereNoneIsStated) {
  EXPECT_EQ(failure_of(decode(429, fixture("error_rate_limit.json"))).retry_after, std::nullopt);
}

TEST(HttpFailure, KnowsThatA429MayMeanNoMoney) {
  EXPECT_EQ(kind_of(429, fixture("error_insufficient_quota.json")), FailureClass::quota);
  for (const char *code : {"credit_balance_exhausted", "organization_spend_limit_exceeded",
                           "project_spend_limit_exceeded", "organization_usage_limit_exceeded"})
    EXPECT_EQ(kind_of(429, error_body(code)), FailureClass::quota) << code;
}

TEST(HttpFailure, KnowsAnthropicsSpendLimits) {
  EXPECT_EQ(kind_of(429, R"({"error":{"type":"rate_limit_error","message":"m",
                             "details":{"error_code":"enforced_spend_limit_reached"}}})"),
            FailureClass::quota);
  EXPECT_EQ(kind_of(400, R"({"error":{"type":"invalid_request_error",
                             "message":"You have reached your specified API usage limits. Access returns on ..."}})"),
            FailureClass::quota);
}

TEST(HttpFailure, TellsADailyQuotaFromAMinutesLimit) {
  const auto body = [](const std::string &id) {
    return R"([{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"m","details":[
        {"violations":[{"quotaId":")" +
           id + R"("}]},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"38s"}]}}])";
  };
  EXPECT_EQ(kind_of(429, body("GenerateRequestsPerDayPerProject")), FailureClass::quota);
  const Failure minute = failure_of(decode(429, body("GenerateRequestsPerMinutePerProject")));
  EXPECT_EQ(minute.kind, FailureClass::rate_limited);
  EXPECT_EQ(minute.retry_after, 38s);
}

TEST(HttpFailure, KnowsAPromptThatIsTooLong) {
  EXPECT_EQ(kind_of(400, fixture("error_context_length.json")), FailureClass::context_length);
  EXPECT_EQ(kind_of(400, R"({"object":"error","message":"This model's maximum context length is 4096 tokens."})"),
            FailureClass::context_length);
  EXPECT_EQ(kind_of(400, error_body("400", "prompt is too long: 9 tokens > 5 maximum")), FailureClass::context_length);
}

TEST(HttpFailure, KnowsRefusedContent) {
  EXPECT_EQ(kind_of(400, error_body("content_filter")), FailureClass::content_filter);
  EXPECT_EQ(kind_of(400, error_body("content_policy_violation")), FailureClass::content_filter);
  EXPECT_EQ(kind_of(400, R"({"error":{"innererror":{"code":"ResponsibleAIPolicyViolation"}}})"),
            FailureClass::content_filter);
}

TEST(HttpFailure, KnowsABadKeyAndDoesNotQuoteIt) {
  const Failure failure = failure_of(decode(401, fixture("error_invalid_key.json")));
  EXPECT_EQ(failure.kind, FailureClass::credential);
  EXPECT_EQ(failure.message.find("sk-abcde"), std::string::npos) << failure.message;
  EXPECT_EQ(kind_of(400, error_body("invalid_api_key")), FailureClass::credential);
}

TEST(HttpFailure, TriesAgainAfterTroubleOfTheServer) {
  EXPECT_EQ(kind_of(500, fixture("error_server.json")), FailureClass::transient);
  const Failure failure = failure_of(decode(502, fixture("error_502.html")));
  EXPECT_EQ(failure.kind, FailureClass::transient);
  EXPECT_TRUE(failure.message.starts_with("HTTP 502: <html>")) << failure.message;
}

TEST(HttpFailure, JudgesByStatusWhereTheBodySaysNothing) {
  for (const int status : {408, 409, 500, 502, 503, 504, 529}) EXPECT_EQ(kind_of(status, ""), FailureClass::transient);
  for (const int status : {400, 404, 405, 413, 422, 0, 199}) EXPECT_EQ(kind_of(status, ""), FailureClass::invalid);
  for (const int status : {401, 403}) EXPECT_EQ(kind_of(status, ""), FailureClass::credential);
  EXPECT_EQ(kind_of(402, ""), FailureClass::quota);
  EXPECT_EQ(kind_of(429, ""), FailureClass::rate_limited);
  EXPECT_EQ(kind_of(498, R"({"error":{"message":"Flex tier capacity exceeded","type":"capacity_exceeded"}})"),
            FailureClass::rate_limited);
}

TEST(HttpFailure, DoesNotRetryARequestThatIsLargerThanItsLimit) {
  EXPECT_EQ(kind_of(413, error_body("rate_limit_exceeded")), FailureClass::invalid);
  const std::string too_large = "on tokens per min (TPM): Limit 30000, Requested 342389.";
  EXPECT_EQ(kind_of(429, error_body("rate_limit_exceeded", too_large)), FailureClass::context_length);
  const std::string busy = "on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000.";
  EXPECT_EQ(kind_of(429, error_body("rate_limit_exceeded", busy)), FailureClass::rate_limited);
}

TEST(HttpFailure, RetriesAnOverloadThatCallsItselfARateLimit) {
  EXPECT_EQ(kind_of(503, error_body("slow_down")), FailureClass::rate_limited);
}

TEST(HttpFailure, KeepsTheWaitOfAn503) {
  const Failure failure = failure_of(decode(503, "", {{"retry-after", "7"}}));
  EXPECT_EQ(failure.kind, FailureClass::transient);
  EXPECT_EQ(failure.retry_after, 7s);
}

TEST(HttpFailure, SaysThatRedirectsAreNotFollowed) {
  const Failure failure = failure_of(decode(302, "", {{"location", "https://other.example/?key=0123456789"}}));
  EXPECT_EQ(failure.kind, FailureClass::invalid);
  EXPECT_EQ(
      failure.message,
      "HTTP 302: the provider redirects to https://other.example/?key=[redacted], and redirects are not followed; "
      "correct the provider's base_url");
}

TEST(HttpFailure, SurvivesARedirectToNowhere) {
  EXPECT_EQ(failure_of(decode(301, "")).message,
            "HTTP 301: the provider redirects, and redirects are not followed; correct the provider's base_url");
}

TEST(HttpFailure, ObeysShouldRetryWhereItContradictsTheStatus) {
  EXPECT_EQ(kind_of(400, "", {{"x-should-retry", "true"}}), FailureClass::transient);
  EXPECT_EQ(kind_of(500, "", {{"x-should-retry", "false"}}), FailureClass::invalid);
  EXPECT_EQ(kind_of(429, "", {{"x-should-retry", "false"}}), FailureClass::invalid);
  EXPECT_EQ(kind_of(429, "", {{"x-should-retry", "true"}}), FailureClass::rate_limited);
  EXPECT_EQ(kind_of(404, "", {{"x-should-retry", "false"}}), FailureClass::invalid);
}

TEST(HttpFailure, LetsAPreciseBodyStandAgainstShouldRetry) {
  EXPECT_EQ(kind_of(429, fixture("error_insufficient_quota.json"), {{"x-should-retry", "false"}}), FailureClass::quota);
  EXPECT_EQ(kind_of(400, fixture("error_context_length.json"), {{"x-should-retry", "true"}}),
            FailureClass::context_length);
}

TEST(HttpFailure, FindsTheProvidersOwnMessage) {
  const auto message_of = [](const std::string &body) { return failure_of(decode(400, body)).message; };
  EXPECT_EQ(message_of(R"({"error":{"message":"a"},"message":"b"})"), "HTTP 400: a");
  EXPECT_EQ(message_of(R"({"error":"a"})"), "HTTP 400: a");
  EXPECT_EQ(message_of(R"({"message":"a","detail":"b"})"), "HTTP 400: a");
  EXPECT_EQ(message_of(R"({"detail":"a"})"), "HTTP 400: a");
  EXPECT_EQ(message_of(R"({"detail":[{"msg":"a"}]})"), "HTTP 400: a");
  EXPECT_EQ(message_of(R"({"detail":[{"msg":"a","loc":["body","n"]},{"msg":"b","loc":[0]},5,{}]})"),
            "HTTP 400: n: a; b");
  EXPECT_EQ(message_of(R"({"detail":[{"type":"x"}]})"), R"(HTTP 400: {"detail":[{"type":"x"}]})");
  EXPECT_EQ(message_of("plain words"), "HTTP 400: plain words");
  EXPECT_EQ(message_of(" \r\n "), "HTTP 400: (empty answer)");
}

TEST(HttpFailure, BoundsCleansAndRedactsTheMessage) {
  const Failure failure = failure_of(
      decode(400, R"({"error":{"message":"\u0000 )" + std::string(kSecret) + std::string(10'000, 'x') + R"("}})"));
  EXPECT_EQ(failure.message.size(), kErrorMessageBytesMax);
  EXPECT_TRUE(is_clean_text(failure.message));
  EXPECT_TRUE(failure.message.starts_with("HTTP 400: \xEF\xBF\xBD [redacted]xxx")) << failure.message;
}

}  // namespace
}  // namespace agent_queue
