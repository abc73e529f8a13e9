// Goal: every way in which an attempt can end becomes the settlement that the promises demand: retried or not, counted
// or not, billed or not. Method: a claimed job, a catalog made by hand, one end a test.
#include "engine/attempt.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace agent_queue {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const Now kNow{WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20)), SteadyTime(seconds(1000))};
constexpr const char *kKey = "sk-0123456789abcdef";

class OneKey : public Secrets {
 public:
  Result<std::string> resolve(std::string_view api_key_ref) override {
    if (api_key_ref == "env:KEY") return std::string(kKey);
    return Error{ErrorKind::not_found, "environment variable is not set", ""};
  }
  void forget() override {}
};

std::shared_ptr<Catalog> make_catalog() {
  auto catalog = std::make_shared<Catalog>();
  Provider provider;
  provider.name = "p";
  provider.wire_format = "openai";
  provider.base_url = "https://p.example/v1";
  provider.api_key_ref = "env:KEY";
  provider.headers = {{"x-team", "blue"}};
  catalog->providers["p"] = provider;
  AgentType type;
  type.name = "t";
  type.system_prompt = "Be short.";
  type.request_timeout = seconds(33);
  type.routes = {{.position = 1, .provider = "p", .model = "m"}};
  catalog->agent_types["t"] = type;
  Price price;
  price.input = PricePerMtok{1'000'000'000};
  price.output = PricePerMtok{2'000'000'000};
  price.valid_from = WallTime{};
  catalog->prices.add("p", "m", price);
  return catalog;
}

ClaimedJob make_job() {
  ClaimedJob job;
  job.id = JobId{17};
  job.agent_type = "t";
  job.request = R"({"text":"hola"})";
  job.max_retries = 3;
  job.started_at = kNow.wall;
  return job;
}

class AttemptTest : public testing::Test {
 protected:
  Settlement refused() {
    auto prepared = prepare_call(job_, catalog_, secrets_, kNow);
    return std::holds_alternative<Settlement>(prepared) ? std::get<Settlement>(prepared) : Settlement{};
  }
  Settlement end_with(CallEnd end) {
    auto prepared = prepare_call(job_, catalog_, secrets_, kNow);
    return conclude(std::get<PreparedCall>(prepared).attempt, end, kKey, kNow);
  }
  Settlement answer(int status, const std::string &body, std::vector<HttpHeader> headers = {}) {
    CallEnd end;
    end.request_sent = true;
    end.response.status = status;
    end.response.headers = std::move(headers);
    end.response.body = body;
    end.time_total = milliseconds(1500);
    return end_with(end);
  }
  Settlement broken(TransportError error, bool request_sent) {
    CallEnd end;
    end.error = error;
    end.message = std::string("it broke, with key ") + kKey;
    end.request_sent = request_sent;
    return end_with(end);
  }
  AgentType &type() { return catalog_->agent_types["t"]; }

  std::shared_ptr<Catalog> catalog_ = make_catalog();
  ClaimedJob job_ = make_job();
  OneKey secrets_;
};

constexpr const char *kGood = R"({"model":"m-2026","choices":[{"finish_reason":"stop","message":{"content":"hello"}}],
                                 "usage":{"prompt_tokens":10,"completion_tokens":5}})";

// ---- before the call

TEST_F(AttemptTest, MakesARequestWithTheProvidersHeadersAndTheTypesTimeout) {
  auto prepared = prepare_call(job_, catalog_, secrets_, kNow);
  ASSERT_TRUE(std::holds_alternative<PreparedCall>(prepared));
  const PreparedCall &call = std::get<PreparedCall>(prepared);
  EXPECT_EQ(call.request.url, "https://p.example/v1/chat/completions");
  EXPECT_EQ(call.request.timeouts.total, seconds(33));
  EXPECT_EQ(call.request.headers.back().name, "x-team");
  EXPECT_NE(call.request.body.find("hola"), std::string::npos);
}

TEST_F(AttemptTest, GivesUpTheRequestsBytesButRemembersTheirNumber) {
  auto prepared = prepare_call(job_, catalog_, secrets_, kNow);
  const Attempt &attempt = std::get<PreparedCall>(prepared).attempt;
  EXPECT_TRUE(attempt.job.request.empty());
  EXPECT_EQ(attempt.request_bytes, make_job().request.size());
}

TEST_F(AttemptTest, DoesNotCallForAJobThatExpiresNow) {
  job_.expires_at = kNow.wall;
  EXPECT_EQ(refused().error_code, JobErrorCode::expired);
}

TEST_F(AttemptTest, FailsAsConfigurationWhereAPieceIsMissing) {
  const auto expect_configuration = [this](const char *piece) {
    const Settlement settlement = refused();
    EXPECT_EQ(settlement.error_code, JobErrorCode::configuration) << piece;
    EXPECT_EQ(settlement.outcome, Outcome::failed) << piece;
    EXPECT_FALSE(settlement.usage.has_value()) << piece;
    catalog_ = make_catalog();
    job_ = make_job();
  };
  job_.agent_type = "gone";
  expect_configuration("agent type");
  type().routes.clear();
  expect_configuration("route");
  catalog_->providers["p"].enabled = false;
  expect_configuration("enabled provider");
  catalog_->providers["p"].wire_format = "smoke signals";
  expect_configuration("wire format");
  catalog_->providers["p"].dialect = "esperanto";
  expect_configuration("dialect");
  catalog_->providers["p"].base_url = "";
  expect_configuration("address");
  catalog_->providers["p"].wire_format = "anthropic";
  type().max_output_tokens = 0;
  expect_configuration("bound that the format needs");
  catalog_->providers["p"].api_key_ref = "env:OTHER";
  expect_configuration("key");
  type().prompt_template_error = "a place is not closed";
  expect_configuration("prompt template");
}

TEST_F(AttemptTest, FailsAsInvalidRequestWhereThereIsNothingToSay) {
  for (const char *request : {"{}", "[1]", "no json"}) {
    job_.request = request;
    EXPECT_EQ(refused().error_code, JobErrorCode::invalid_request) << request;
  }
}

TEST_F(AttemptTest, FailsAsInvalidRequestWhereTheRequestIsToBlameForACallThatCannotBeWritten) {
  for (const char *format : {"openai", "anthropic", "gemini", "ollama"}) {
    catalog_->providers["p"].wire_format = format;
    catalog_->providers["p"].dialect = std::string_view(format) == "openai" ? "openai" : "";
    job_.request = R"({"messages":[{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":
        {"name":"f","arguments":5}}]}]})";
    const Settlement settlement = refused();
    EXPECT_EQ(settlement.error_code, JobErrorCode::invalid_request) << format;
    EXPECT_EQ(settlement.error_message, "arguments of a tool call in the messages are no JSON object") << format;
  }
}

TEST_F(AttemptTest, SpeaksTheDialectOfTheProvider) {
  catalog_->providers["p"].dialect = "mistral";
  auto prepared = prepare_call(job_, catalog_, secrets_, kNow);
  ASSERT_TRUE(std::holds_alternative<PreparedCall>(prepared));
  EXPECT_NE(std::get<PreparedCall>(prepared).request.body.find(R"("max_tokens":1024)"), std::string::npos);
}

// ---- answers

TEST_F(AttemptTest, BelievesTheProvidersOwnStatementOfTheCost) {
  catalog_->providers["p"].dialect = "openrouter";
  const Settlement settlement = answer(200, R"({"choices":[{"message":{"content":"x"}}],
      "usage":{"prompt_tokens":10,"completion_tokens":5,"cost":0.0123}})");
  EXPECT_EQ(settlement.usage->cost, *Usd::parse("0.0123"));
}

TEST_F(AttemptTest, BooksWhatAFailedAnswerSaysWasBilled) {
  catalog_->providers["p"].wire_format = "gemini";
  const Settlement settlement = answer(200, R"({"promptFeedback":{"blockReason":"SAFETY"},
      "usageMetadata":{"promptTokenCount":10}})");
  EXPECT_EQ(settlement.outcome, Outcome::failed);
  EXPECT_EQ(settlement.error_code, JobErrorCode::invalid_request);
  ASSERT_TRUE(settlement.usage.has_value());
  EXPECT_FALSE(settlement.usage->estimated);
  EXPECT_EQ(settlement.usage->usage.input, 10);
  EXPECT_EQ(settlement.usage->cost, *Usd::parse("0.00001"));
}

TEST_F(AttemptTest, CompletesWithResultUsageAndExactCost) {
  const Settlement settlement = answer(200, kGood);
  EXPECT_EQ(settlement.outcome, Outcome::completed);
  EXPECT_NE(settlement.result.find("hello"), std::string::npos);
  ASSERT_TRUE(settlement.usage.has_value());
  EXPECT_FALSE(settlement.usage->estimated);
  EXPECT_EQ(settlement.usage->cost, *Usd::parse("0.00002"));
  EXPECT_EQ(settlement.usage->latency, milliseconds(1500));
  EXPECT_EQ(settlement.usage->attempt, 1);
  EXPECT_EQ(settlement.provider, "p");
}

TEST_F(AttemptTest, EstimatesTheUsageThatAnAnswerDoesNotTell) {
  const Settlement settlement = answer(200, R"({"choices":[{"message":{"content":"hello"}}]})");
  EXPECT_EQ(settlement.outcome, Outcome::completed);
  ASSERT_TRUE(settlement.usage.has_value());
  EXPECT_TRUE(settlement.usage->estimated);
  EXPECT_TRUE(settlement.usage->cost.has_value());
}

TEST_F(AttemptTest, LeavesTheCostEmptyWhereNoPriceIsKnown) {
  type().routes[0].model = "unpriced";
  const Settlement settlement = answer(200, kGood);
  ASSERT_TRUE(settlement.usage.has_value());
  EXPECT_FALSE(settlement.usage->cost.has_value());
}

TEST_F(AttemptTest, KeepsAnAnswerThatComesAfterExpiry) {
  job_.expires_at = kNow.wall + seconds(1);
  auto prepared = prepare_call(job_, catalog_, secrets_, kNow);
  CallEnd end;
  end.response.status = 200;
  end.response.body = kGood;
  const Now late{kNow.wall + minutes(1), kNow.steady + minutes(1)};
  EXPECT_EQ(conclude(std::get<PreparedCall>(prepared).attempt, end, kKey, late).outcome, Outcome::completed);
}

TEST_F(AttemptTest, MakesAStorableResultOfNulCharacters) {
  type().result_template = *parse_json(R"({"value":"{{json}}"})");
  const Settlement settlement = answer(200, R"({"choices":[{"message":{"content":"{\"a\":\"\\u0000\"}"}}]})");
  EXPECT_EQ(settlement.outcome, Outcome::completed);
  EXPECT_EQ(settlement.result.find("\\u0000"), std::string::npos);
}

// ---- failures

TEST_F(AttemptTest, BacksOffAfterAServerErrorAndCountsIt) {
  const Settlement settlement = answer(500, "{}");
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  EXPECT_TRUE(settlement.costs_attempt);
  EXPECT_EQ(settlement.wait_reason, WaitReason::backoff);
  EXPECT_GE(settlement.run_at, kNow.wall + type().retry_base);
  EXPECT_FALSE(settlement.usage.has_value());
}

TEST_F(AttemptTest, WaitsAsLongAsAServerErrorAsks) {
  EXPECT_GE(answer(503, "{}", {{"retry-after", "60"}}).run_at, kNow.wall + seconds(60));
}

TEST_F(AttemptTest, KeepsAnAppointmentWithoutCountingIt) {
  job_.retry_count = job_.max_retries;
  const Settlement settlement = answer(429, "{}", {{"retry-after", "7"}});
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  EXPECT_FALSE(settlement.costs_attempt);
  EXPECT_EQ(settlement.run_at, kNow.wall + seconds(7));
  EXPECT_EQ(settlement.wait_reason, WaitReason::rate_limited);
}

TEST_F(AttemptTest, CountsARateLimitWithoutATime) {
  EXPECT_TRUE(answer(429, "{}").costs_attempt);
}

TEST_F(AttemptTest, TakesRetryAfterZeroForNoAppointment) {
  const Settlement settlement = answer(429, "{}", {{"retry-after", "0"}});
  EXPECT_TRUE(settlement.costs_attempt);
  EXPECT_GE(settlement.run_at, kNow.wall + type().retry_base);
  job_.retry_count = job_.max_retries;
  EXPECT_EQ(answer(429, "{}", {{"retry-after", "0"}}).outcome, Outcome::failed) << "else it would go on for ever";
}

TEST_F(AttemptTest, FailsWhenTheRetriesAreUsedUpAndCountsNoRetryMore) {
  job_.retry_count = job_.max_retries;
  const Settlement settlement = answer(500, "{}");
  EXPECT_EQ(settlement.outcome, Outcome::failed);
  EXPECT_EQ(settlement.error_code, JobErrorCode::provider_error);
  EXPECT_FALSE(settlement.costs_attempt);
}

TEST_F(AttemptTest, FailsAtOnceWhereTheJobExpiresBeforeTheNextRetry) {
  job_.expires_at = kNow.wall + seconds(60);
  EXPECT_EQ(answer(429, "{}", {{"retry-after", "60"}}).outcome, Outcome::failed);
  EXPECT_EQ(answer(429, "{}", {{"retry-after", "59"}}).outcome, Outcome::retry);
}

TEST_F(AttemptTest, DoesNotRepeatWhatStaysWrong) {
  EXPECT_EQ(answer(400, "{}").error_code, JobErrorCode::invalid_request);
  EXPECT_EQ(answer(401, "{}").error_code, JobErrorCode::provider_error);
  EXPECT_EQ(answer(402, "{}").outcome, Outcome::failed);
}

TEST_F(AttemptTest, BillsAnAnswerThatNobodyUnderstands) {
  const Settlement settlement = answer(200, "<html>");
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  ASSERT_TRUE(settlement.usage.has_value());
  EXPECT_TRUE(settlement.usage->estimated);
}

TEST_F(AttemptTest, BillsNothingWhenNothingWasSent) {
  const Settlement settlement = broken(TransportError::connect, false);
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  EXPECT_FALSE(settlement.usage.has_value());
}

TEST_F(AttemptTest, BillsAnAttemptOfUnknownEndAndRetriesIt) {
  const Settlement settlement = broken(TransportError::broken, true);
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  EXPECT_TRUE(settlement.costs_attempt);
  ASSERT_TRUE(settlement.usage.has_value());
  EXPECT_TRUE(settlement.usage->estimated);
}

TEST_F(AttemptTest, FailsAnAttemptOfUnknownEndWhereTheTypeSaysSo) {
  type().on_uncertain = OnUncertain::fail;
  const Settlement settlement = broken(TransportError::first_byte_timeout, true);
  EXPECT_EQ(settlement.outcome, Outcome::failed);
  EXPECT_EQ(settlement.error_code, JobErrorCode::uncertain);
  EXPECT_TRUE(settlement.usage.has_value());
}

TEST_F(AttemptTest, BlamesTheConfigurationForAnAddressThatMustNotBeCalled) {
  EXPECT_EQ(broken(TransportError::blocked_address, false).error_code, JobErrorCode::configuration);
  EXPECT_EQ(broken(TransportError::bad_url, false).error_code, JobErrorCode::configuration);
}

TEST_F(AttemptTest, KeepsTheKeyOutOfWhatIsStored) {
  EXPECT_EQ(broken(TransportError::connect, false).error_message.find(kKey), std::string::npos);
  const std::string body = std::string(R"({"error":{"message":"bad key )") + kKey + "\"}}";
  EXPECT_EQ(answer(401, body).error_message.find(kKey), std::string::npos);
}

// ---- attempts of dead workers

TEST_F(AttemptTest, BooksALostAttemptAndTriesAgainAtOnce) {
  const Settlement settlement = conclude_lost(job_, *catalog_, kNow);
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  EXPECT_EQ(settlement.run_at, kNow.wall);
  EXPECT_TRUE(settlement.costs_attempt);
  ASSERT_TRUE(settlement.usage.has_value());
  EXPECT_TRUE(settlement.usage->estimated);
  EXPECT_EQ(settlement.usage->attempt, 1);
}

TEST_F(AttemptTest, TriesALostAttemptAgainThoughItsBackoffWouldEndAfterExpiry) {
  job_.expires_at = kNow.wall + milliseconds(500);
  EXPECT_EQ(conclude_lost(job_, *catalog_, kNow).outcome, Outcome::retry);
}

TEST_F(AttemptTest, FailsALostAttemptThatHasExpired) {
  job_.expires_at = kNow.wall;
  EXPECT_EQ(conclude_lost(job_, *catalog_, kNow).outcome, Outcome::failed);
}

TEST_F(AttemptTest, BooksALostAttemptThoughItsAgentTypeIsGone) {
  catalog_->agent_types.clear();
  const Settlement settlement = conclude_lost(job_, *catalog_, kNow);
  EXPECT_EQ(settlement.outcome, Outcome::failed);
  EXPECT_EQ(settlement.error_code, JobErrorCode::uncertain);
  ASSERT_TRUE(settlement.usage.has_value());
  EXPECT_FALSE(settlement.usage->cost.has_value()) << "unknown is not free";
}

TEST_F(AttemptTest, TriesALostAttemptAgainThoughItsProviderIsSwitchedOff) {
  catalog_->providers["p"].enabled = false;
  const Settlement settlement = conclude_lost(job_, *catalog_, kNow);
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  EXPECT_TRUE(settlement.usage.has_value());
}

TEST_F(AttemptTest, BooksNothingForALostAttemptInsideTheWorker) {
  catalog_->providers["p"].wire_format = "echo";
  EXPECT_FALSE(conclude_lost(job_, *catalog_, kNow).usage.has_value());
}

TEST_F(AttemptTest, ACancelledCallThatWasSentBooksTheWorstCase) {
  const Settlement settlement = broken(TransportError::cancelled, true);
  EXPECT_EQ(settlement.outcome, Outcome::failed);
  EXPECT_EQ(settlement.error_code, JobErrorCode::cancelled);
  ASSERT_TRUE(settlement.usage);
  EXPECT_TRUE(settlement.usage->estimated);
  EXPECT_GT(settlement.usage->usage.output, 0);
  EXPECT_EQ(settlement.started_at, kNow.wall);
}

TEST_F(AttemptTest, ACancelledCallThatWasNotSentBooksNothing) {
  const Settlement settlement = broken(TransportError::cancelled, false);
  EXPECT_EQ(settlement.outcome, Outcome::failed);
  EXPECT_EQ(settlement.error_code, JobErrorCode::cancelled);
  EXPECT_FALSE(settlement.usage);
}

}  // namespace
}  // namespace agent_queue
