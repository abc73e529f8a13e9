// Goal: jobs of a provider with a service account: one token call for all of them, and what they are settled as when
// there is no token, when they expire meanwhile, and when the provider refuses it. Method: as in engine_test.cpp, with
// a store that hands out jobs and keeps what was settled.
#include <gtest/gtest.h>

#include <chrono>
#include <deque>

#include "engine/engine.hpp"
#include "support/fake_signer.hpp"

namespace agent_queue {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char *kAccount = R"({"type":"service_account","client_email":"a@p.example","private_key":"PRIVATEKEY",
                                    "token_uri":"https://token.example/token"})";

class SmallStore : public JobStore {
 public:
  RoundResult round(const Round &round, Now) override {
    settled.insert(settled.end(), round.settlements.begin(), round.settlements.end());
    RoundResult result;
    result.report.fates.assign(round.settlements.size(), SettleFate::settled);
    for (; round.claim_limit > 0 && !waiting.empty(); waiting.pop_front())
      result.report.claimed.push_back(waiting.front());
    return result;
  }
  std::optional<std::vector<ClaimedJob>> rescue(Now) override { return std::vector<ClaimedJob>{}; }
  std::optional<int> promote_due(Now) override { return 0; }
  std::optional<WallTime> next_due() const override { return std::nullopt; }
  bool work_hinted() override { return !waiting.empty(); }
  bool rescue_hinted() override { return false; }
  bool cancel_hinted() override { return cancelled.has_value(); }
  std::vector<std::size_t> take_cancelled(std::span<const AttemptId> calls, Now) override {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < calls.size(); ++i)
      if (calls[i].job == *cancelled) places.push_back(i);
    cancelled.reset();
    return places;
  }
  std::shared_ptr<const Catalog> catalog() override { return catalog_; }

  std::deque<ClaimedJob> waiting;
  std::vector<Settlement> settled;
  std::optional<JobId> cancelled;
  std::shared_ptr<Catalog> catalog_ = std::make_shared<Catalog>();
};

class OpenCalls : public Transport {
 public:
  struct Sent {
    CallId id;
    HttpRequest request;
  };
  void submit(CallId id, HttpRequest request) override { sent.push_back({id, std::move(request)}); }
  void cancel(CallId) override {}
  void forget(CallId) override {}
  void poll(std::vector<CallEnd> &ended) override {
    for (CallEnd &end : ready) ended.push_back(std::move(end));
    ready.clear();
  }
  void take_progress(std::vector<CallProgress> &) override {}
  int in_flight() const override { return static_cast<int>(sent.size()); }

  // Ends the oldest call.
  void finish(int status, const std::string &body) {
    CallEnd end;
    end.id = sent.front().id;
    end.request_sent = true;
    end.response.status = status;
    end.response.body = body;
    ready.push_back(end);
    sent.pop_front();
  }

  std::deque<Sent> sent;
  std::vector<CallEnd> ready;
};

class AccountSecrets : public Secrets {
 public:
  Result<std::string> resolve(std::string_view) override {
    if (is_busy) return Error{ErrorKind::busy, "reading it has to wait", ""};
    return secret;
  }
  void forget() override {}
  std::string secret = kAccount;
  bool is_busy = false;
};

class CollectedLog : public Log {
 public:
  void write(LogLevel, std::string_view message) noexcept override { lines += message; }
  std::string lines;
};

class EngineTokenTest : public testing::Test {
 protected:
  EngineTokenTest() {
    Provider &provider = store_.catalog_->providers["vertex"];
    provider.name = "vertex";
    provider.wire_format = "gemini";
    provider.base_url = "https://eu-aiplatform.example/v1/projects/p/locations/eu/publishers/google";
    AgentType &type = store_.catalog_->agent_types["t"];
    type.name = "t";
    type.request_timeout = seconds(60);
    type.routes = {{.position = 1, .provider = "vertex", .model = "gemini-2.5-flash"}};
  }

  void enqueue(int count, std::optional<Micros> expires_in = std::nullopt) {
    for (int i = 0; i < count; ++i) {
      ClaimedJob job;
      job.id = JobId{++last_id_};
      job.agent_type = "t";
      job.request = R"({"text":"hi"})";
      job.max_retries = 3;
      if (expires_in) job.expires_at = now_.wall + *expires_in;
      store_.waiting.push_back(job);
    }
  }
  Pause step(Micros wait = milliseconds(5)) {
    now_.wall += wait;
    now_.steady += wait;
    return engine_.step(now_);
  }
  void steps() {
    for (int i = 0; i < 3; ++i) step();
  }
  void give_token(const char *token) {
    transport_.finish(200, std::string(R"({"expires_in":3600,"access_token":")") + token + "\"}");
  }
  void answer_all() {
    while (!transport_.sent.empty())
      transport_.finish(200, R"({"candidates":[{"content":{"parts":[{"text":"hello"}]},"finishReason":"STOP"}],
                                 "usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1}})");
    steps();
  }
  const std::string &url(std::size_t i) const { return transport_.sent[i].request.url; }
  std::string header(std::size_t i, const std::string &name) const {
    for (const HttpHeader &header : transport_.sent[i].request.headers)
      if (header.name == name) return header.value;
    return "";
  }
  void expect_silence() {
    for (const Settlement &settlement : store_.settled)
      for (const char *secret : {"PRIVATEKEY", "first-token"})
        EXPECT_EQ(settlement.error_message.find(secret), std::string::npos) << settlement.error_message;
    EXPECT_EQ(log_.lines.find("PRIVATEKEY"), std::string::npos);
  }

  Now now_{WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20)), SteadyTime(hours(1))};
  SmallStore store_;
  OpenCalls transport_;
  AccountSecrets secrets_;
  FakeSigner signer_;
  CollectedLog log_;
  Engine engine_{store_, transport_, secrets_, signer_, log_, {.max_in_flight = 100, .claim_batch = 100}};
  std::int64_t last_id_ = 0;
};

TEST_F(EngineTokenTest, NeverSendsACallThatWasCancelledWhileItWaitedForItsToken) {
  enqueue(2);
  steps();
  store_.cancelled = JobId{1};
  steps();
  ASSERT_EQ(store_.settled.size(), 1u);
  EXPECT_EQ(store_.settled[0].id, JobId{1});
  EXPECT_EQ(store_.settled[0].error_code, JobErrorCode::cancelled);
  EXPECT_FALSE(store_.settled[0].usage);
  give_token("first-token");
  steps();
  EXPECT_EQ(transport_.sent.size(), 1u);
}

TEST_F(EngineTokenTest, CallsOnceForATokenAndThenForTenJobs) {
  enqueue(10);
  steps();
  ASSERT_EQ(transport_.sent.size(), 1u);
  EXPECT_EQ(url(0), "https://token.example/token");
  EXPECT_EQ(engine_.in_flight(), 10) << "they are claimed, and count";
  give_token("first-token");
  steps();
  ASSERT_EQ(transport_.sent.size(), 10u);
  EXPECT_TRUE(url(9).ends_with("/publishers/google/models/gemini-2.5-flash:generateContent"));
  EXPECT_EQ(header(9, "authorization"), "Bearer first-token");
  EXPECT_EQ(header(9, "x-goog-api-key"), "");
  answer_all();
  ASSERT_EQ(store_.settled.size(), 10u);
  for (const Settlement &settlement : store_.settled) EXPECT_EQ(settlement.outcome, Outcome::completed);
  enqueue(1);
  steps();
  EXPECT_EQ(header(0, "authorization"), "Bearer first-token") << "the token is kept";
  EXPECT_EQ(signer_.signatures, 1);
}

TEST_F(EngineTokenTest, SendsAPlainKeyAsGeminiWantsIt) {
  secrets_.secret = "plain-key";
  enqueue(1);
  steps();
  ASSERT_EQ(transport_.sent.size(), 1u);
  EXPECT_EQ(header(0, "x-goog-api-key"), "plain-key");
  EXPECT_EQ(header(0, "authorization"), "");
}

TEST_F(EngineTokenTest, FailsAsConfigurationWhenGoogleRefuses) {
  enqueue(2);
  steps();
  transport_.finish(400, R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})");
  steps();
  ASSERT_EQ(store_.settled.size(), 2u);
  EXPECT_EQ(store_.settled[0].error_code, JobErrorCode::configuration);
  EXPECT_EQ(store_.settled[0].outcome, Outcome::failed);
  EXPECT_NE(store_.settled[0].error_message.find("provider \"vertex\""), std::string::npos);
  EXPECT_NE(store_.settled[0].error_message.find("invalid_grant: Invalid JWT"), std::string::npos);
  EXPECT_FALSE(store_.settled[0].usage.has_value());
  EXPECT_TRUE(transport_.sent.empty());
  EXPECT_EQ(engine_.in_flight(), 0);
}

TEST_F(EngineTokenTest, RetriesAfterATransientFailureAndBooksNothing) {
  store_.catalog_->agent_types["t"].on_uncertain = OnUncertain::fail;
  enqueue(1);
  steps();
  CallEnd end;
  end.id = transport_.sent.front().id;
  end.error = TransportError::broken;
  end.request_sent = true;
  end.message = "the connection ended";
  transport_.ready.push_back(end);
  steps();
  ASSERT_EQ(store_.settled.size(), 1u);
  EXPECT_EQ(store_.settled[0].outcome, Outcome::retry);
  EXPECT_TRUE(store_.settled[0].costs_attempt);
  EXPECT_FALSE(store_.settled[0].usage.has_value()) << "nothing was sent to the model";
  expect_silence();
}

TEST_F(EngineTokenTest, FailsAsConfigurationWhereTheAccountCannotBeRead) {
  for (const char *secret : {R"({"type":"service_account"})", R"({"type":"authorized_user"})", "{PRIVATEKEY"}) {
    secrets_.secret = secret;
    enqueue(1);
    steps();
  }
  secrets_.secret = R"({"type":"service_account","client_email":"b@p","private_key":"bad","token_uri":"https://t"})";
  enqueue(1);
  steps();
  ASSERT_EQ(store_.settled.size(), 4u);
  for (const Settlement &settlement : store_.settled)
    EXPECT_EQ(settlement.error_code, JobErrorCode::configuration) << settlement.error_message;
  EXPECT_TRUE(transport_.sent.empty());
  expect_silence();
}

TEST_F(EngineTokenTest, ComesBackLaterWhereTheStoreOfKeysIsBusy) {
  secrets_.is_busy = true;
  enqueue(1);
  steps();
  ASSERT_EQ(store_.settled.size(), 1u);
  EXPECT_EQ(store_.settled[0].outcome, Outcome::retry);
  EXPECT_NE(store_.settled[0].error_message.find("provider \"vertex\""), std::string::npos);
}

TEST_F(EngineTokenTest, ExpiresAJobThatWaitsForItsToken) {
  enqueue(1, seconds(3));
  const SteadyTime expiry = now_.steady + seconds(3);
  steps();
  step(seconds(2));
  EXPECT_LE(step().until, expiry + milliseconds(1));
  step(seconds(1));
  steps();
  ASSERT_EQ(store_.settled.size(), 1u);
  EXPECT_EQ(store_.settled[0].error_code, JobErrorCode::expired);
  give_token("first-token");
  steps();
  EXPECT_TRUE(transport_.sent.empty()) << "and it is not called when the token comes";
}

TEST_F(EngineTokenTest, HoldsTheRequestTimeoutWhileAJobWaits) {
  store_.catalog_->agent_types["t"].request_timeout = seconds(2);
  enqueue(1);
  steps();
  step(seconds(2));
  steps();
  ASSERT_EQ(store_.settled.size(), 1u);
  EXPECT_EQ(store_.settled[0].outcome, Outcome::retry);
  EXPECT_NE(store_.settled[0].error_message.find("timed out while waiting for an access token"), std::string::npos);
}

TEST_F(EngineTokenTest, RenewsATokenThatTheProviderRefusesOnce) {
  enqueue(1);
  steps();
  give_token("first-token");
  steps();
  transport_.finish(401, R"({"error":{"message":"token first-token has expired","status":"UNAUTHENTICATED"}})");
  steps();
  ASSERT_EQ(store_.settled.size(), 1u);
  EXPECT_EQ(store_.settled[0].outcome, Outcome::retry);
  EXPECT_LE(store_.settled[0].run_at, now_.wall) << "at once";
  EXPECT_NE(store_.settled[0].error_message.find("HTTP 401"), std::string::npos);
  expect_silence();

  enqueue(1);
  steps();
  ASSERT_EQ(transport_.sent.size(), 1u);
  EXPECT_EQ(url(0), "https://token.example/token");
  give_token("second-token");
  steps();
  EXPECT_EQ(header(0, "authorization"), "Bearer second-token");
  transport_.finish(401, R"({"error":{"message":"still not"}})");
  steps();
  ASSERT_EQ(store_.settled.size(), 2u);
  EXPECT_EQ(store_.settled[1].outcome, Outcome::failed);
  EXPECT_EQ(store_.settled[1].error_code, JobErrorCode::provider_error);
  enqueue(1);
  steps();
  EXPECT_EQ(header(0, "authorization"), "Bearer second-token") << "no third one";
  EXPECT_EQ(signer_.signatures, 2);
}

TEST_F(EngineTokenTest, DoesNotTakeARefusedPlainKeyForAToken) {
  secrets_.secret = "plain-key";
  enqueue(1);
  steps();
  transport_.finish(401, "{}");
  steps();
  ASSERT_EQ(store_.settled.size(), 1u);
  EXPECT_EQ(store_.settled[0].error_code, JobErrorCode::provider_error);
}

}  // namespace
}  // namespace agent_queue
