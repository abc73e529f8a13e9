// Goal: one token call for all who wait, renewal before expiry, and what each kind of failure does to the calls that
// wait. Method: a transport that records and a signer without a key; time is a number.
#include "engine/token_keeper.hpp"

#include <gtest/gtest.h>

#include "support/fake_signer.hpp"

namespace agent_queue {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class RecordingTransport : public Transport {
 public:
  struct Sent {
    CallId id;
    HttpRequest request;
  };
  void submit(CallId id, HttpRequest request) override { sent.push_back({id, std::move(request)}); }
  void cancel(CallId) override {}
  void forget(CallId) override {}
  void poll(std::vector<CallEnd> &) override {}
  void take_progress(std::vector<CallProgress> &) override {}
  int in_flight() const override { return static_cast<int>(sent.size()); }

  std::vector<Sent> sent;
};

class RecordingLog : public Log {
 public:
  void write(LogLevel, std::string_view message) noexcept override { lines += std::string(message) + "\n"; }
  std::string lines;
};

ServiceAccount account(const std::string &name = "a", const std::string &key = "good") {
  return {name + "@p.example", key, "", "https://token.example/" + name};
}

class TokenKeeperTest : public testing::Test {
 protected:
  CallId admit(const ServiceAccount &credential = account(), Micros patience = seconds(300)) {
    const CallId id{++last_id_};
    HttpRequest request;
    request.url = "https://p.example/" + std::to_string(id.value);
    request.timeouts.total = seconds(300);
    keeper_.admit(id, request, credential, patience, now_);
    return id;
  }
  std::vector<TokenVerdict> step(Micros wait = milliseconds(1)) {
    now_.wall += wait;
    now_.steady += wait;
    std::vector<TokenVerdict> verdicts;
    keeper_.step(now_, verdicts);
    return verdicts;
  }
  // The end of the last token call.
  void answer(int status, const std::string &body) {
    CallEnd end;
    end.id = transport_.sent.back().id;
    end.response.status = status;
    end.response.body = body;
    EXPECT_TRUE(keeper_.take_end(end, now_));
  }
  void give(const std::string &token, int lifetime = 3600) {
    answer(200, R"({"access_token":")" + token + R"(","expires_in":)" + std::to_string(lifetime) + "}");
  }
  void break_off(TransportError error) {
    CallEnd end;
    end.id = transport_.sent.back().id;
    end.error = error;
    end.request_sent = true;
    end.message = "it broke";
    EXPECT_TRUE(keeper_.take_end(end, now_));
  }
  std::size_t token_calls() const { return transport_.sent.size(); }
  // A call that is given back at once, and the token that it has.
  std::string token_now() {
    admit();
    const auto verdicts = step();
    return verdicts.empty() ? "waits" : verdicts[0].failure ? verdicts[0].failure->message : verdicts[0].token;
  }

  Now now_{WallTime(seconds(1'795'000'000)), SteadyTime(hours(1))};
  RecordingTransport transport_;
  FakeSigner signer_;
  RecordingLog log_;
  TokenKeeper keeper_{transport_, signer_, log_};
  std::uint64_t last_id_ = 0;
};

// ---- getting one

TEST_F(TokenKeeperTest, AsksOnceForAllThatWait) {
  for (int i = 0; i < 10; ++i) admit();
  EXPECT_TRUE(step().empty());
  admit();
  EXPECT_TRUE(step(seconds(3)).empty());
  EXPECT_EQ(token_calls(), 1u);
  EXPECT_EQ(transport_.sent[0].request.url, "https://token.example/a");
  give("t1");
  const auto verdicts = step();
  ASSERT_EQ(verdicts.size(), 11u);
  for (const TokenVerdict &verdict : verdicts) {
    EXPECT_FALSE(verdict.failure.has_value());
    EXPECT_EQ(verdict.token, "t1");
    EXPECT_EQ(verdict.request.headers.back().value, "Bearer t1");
  }
  EXPECT_EQ(verdicts[0].id, CallId{1}) << "in the order in which they came";
  EXPECT_EQ(token_now(), "t1");
  EXPECT_EQ(token_calls(), 1u);
}

TEST_F(TokenKeeperTest, GivesACallThatWasForgottenNeverBack) {
  const CallId unwanted = admit();
  const CallId wanted = admit();
  EXPECT_TRUE(step().empty());
  EXPECT_TRUE(keeper_.forget(unwanted));
  EXPECT_FALSE(keeper_.forget(unwanted));
  give("t1");
  const auto verdicts = step();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].id, wanted);
}

TEST_F(TokenKeeperTest, TakesTheTimeOfTheWaitFromTheCalls) {
  admit();
  step();
  give("t1");
  const auto verdicts = step(seconds(4));
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].request.timeouts.total, seconds(296) - milliseconds(1));
}

TEST_F(TokenKeeperTest, KeepsAccountsApart) {
  admit(account("a"));
  admit(account("b"));
  step();
  ASSERT_EQ(token_calls(), 2u);
  give("of-b");
  const auto verdicts = step();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].id, CallId{2});
  EXPECT_EQ(verdicts[0].token, "of-b");
}

TEST_F(TokenKeeperTest, GetsANewTokenForAReplacedKey) {
  admit();
  step();
  give("t1");
  step();
  admit(account("a", "another"));
  EXPECT_TRUE(step().empty());
  EXPECT_EQ(token_calls(), 2u);
}

TEST_F(TokenKeeperTest, LeavesTheEndsOfOtherCallsAlone) {
  admit();
  step();
  CallEnd end;
  end.id = CallId{1};
  EXPECT_FALSE(keeper_.take_end(end, now_));
}

TEST_F(TokenKeeperTest, GivesCallsBackWhoseTimeIsOver) {
  admit(account(), seconds(2));
  admit(account(), seconds(9));
  const SteadyTime end = now_.steady + seconds(2);
  step();
  EXPECT_EQ(keeper_.next_due(), end);
  const auto verdicts = step(seconds(2));
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].id, CallId{1});
  EXPECT_EQ(verdicts[0].failure->kind, FailureClass::transient);
  give("t1");
  EXPECT_EQ(step().size(), 1u);
  EXPECT_FALSE(keeper_.next_due().has_value());
}

// ---- renewing

TEST_F(TokenKeeperTest, RenewsFiveMinutesEarlyAndSendsTheOldOneMeanwhile) {
  admit();
  step();
  give("t1");
  step();
  step(minutes(54));
  EXPECT_EQ(token_now(), "t1");
  EXPECT_EQ(token_calls(), 1u);
  step(minutes(1));
  EXPECT_EQ(token_calls(), 1u) << "nobody needs one";
  EXPECT_EQ(token_now(), "t1");
  EXPECT_EQ(token_calls(), 2u);
  EXPECT_EQ(token_now(), "t1");
  EXPECT_EQ(token_calls(), 2u);
  give("t2");
  EXPECT_EQ(token_now(), "t2");
}

TEST_F(TokenKeeperTest, SendsNoTokenThatIsAboutToExpire) {
  admit();
  step();
  give("t1");
  step();
  step(minutes(60) - seconds(5));
  EXPECT_EQ(token_now(), "waits");
}

TEST_F(TokenKeeperTest, RenewsAShortLivedTokenAtHalfItsLife) {
  admit();
  step();
  give("t1", 60);
  step();
  step(seconds(29));
  EXPECT_EQ(token_now(), "t1");
  EXPECT_EQ(token_calls(), 1u);
  step(seconds(1));
  EXPECT_EQ(token_now(), "t1");
  EXPECT_EQ(token_calls(), 2u);
}

TEST_F(TokenKeeperTest, LivesOnTheOldTokenWhileTheRenewalFails) {
  admit();
  step();
  give("t1");
  step();
  step(minutes(56));
  EXPECT_EQ(token_now(), "t1");
  answer(503, "{}");
  EXPECT_EQ(token_now(), "t1");
  EXPECT_EQ(token_calls(), 2u) << "not again at once";
  EXPECT_NE(log_.lines.find("a@p.example: HTTP 503"), std::string::npos);
  step(seconds(1));
  EXPECT_EQ(token_now(), "t1");
  EXPECT_EQ(token_calls(), 3u);
}

// ---- not getting one

TEST_F(TokenKeeperTest, FailsAllThatWaitWithWhatGoogleSaid) {
  admit();
  admit();
  step();
  answer(400, R"({"error":"invalid_grant","error_description":"account not found"})");
  const auto verdicts = step();
  ASSERT_EQ(verdicts.size(), 2u);
  EXPECT_EQ(verdicts[0].failure->kind, FailureClass::credential);
  EXPECT_EQ(verdicts[0].failure->message,
            "no access token for service account a@p.example: HTTP 400: invalid_grant: account not found");
}

TEST_F(TokenKeeperTest, HoldsARefusalAndAsksAgainAfterIt) {
  admit();
  step();
  answer(401, "{}");
  step();
  EXPECT_NE(token_now().find("HTTP 401"), std::string::npos);
  EXPECT_EQ(token_calls(), 1u);
  step(seconds(5));
  EXPECT_EQ(token_now(), "waits");
  EXPECT_EQ(token_calls(), 2u);
}

TEST_F(TokenKeeperTest, BacksOffFromAnEndpointThatFails) {
  for (const int wait : {1, 2, 4, 8, 16, 30, 30}) {
    EXPECT_EQ(token_now(), "waits");
    break_off(TransportError::broken);
    const auto verdicts = step();
    ASSERT_EQ(verdicts.size(), 1u);
    EXPECT_EQ(verdicts[0].failure->kind, FailureClass::transient) << "never uncertain: the model was not called";
    EXPECT_LE(*verdicts[0].failure->retry_after, seconds(wait));
    EXPECT_NE(token_now().find("it broke"), std::string::npos);
    step(seconds(wait));
  }
  EXPECT_EQ(token_now(), "waits");
  EXPECT_EQ(token_calls(), 8u);
}

TEST_F(TokenKeeperTest, ObeysAStatedTime) {
  admit();
  step();
  CallEnd end;
  end.id = transport_.sent.back().id;
  end.response.status = 429;
  end.response.headers = {{"retry-after", "20"}};
  keeper_.take_end(end, now_);
  const auto verdicts = step(Micros(0));
  EXPECT_EQ(verdicts[0].failure->kind, FailureClass::rate_limited);
  EXPECT_EQ(verdicts[0].failure->retry_after, seconds(20));
  step(seconds(19));
  EXPECT_NE(token_now(), "waits");
  EXPECT_EQ(token_calls(), 1u);
}

TEST_F(TokenKeeperTest, BlamesTheConfigurationForAForbiddenTokenAddress) {
  admit();
  step();
  break_off(TransportError::blocked_address);
  EXPECT_EQ(step()[0].failure->kind, FailureClass::credential);
}

TEST_F(TokenKeeperTest, MakesNoCallWithAKeyThatCannotSign) {
  admit(account("a", "bad"));
  const auto verdicts = step();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].failure->kind, FailureClass::credential);
  EXPECT_NE(verdicts[0].failure->message.find("a@p.example: the private key is no key"), std::string::npos);
  EXPECT_EQ(token_calls(), 0u);
}

// ---- tokens that the provider refuses

TEST_F(TokenKeeperTest, RenewsARefusedTokenOnceAndNotInALoop) {
  admit();
  step();
  give("t1");
  step();
  EXPECT_TRUE(keeper_.give_up("t1", now_.steady));
  EXPECT_TRUE(keeper_.give_up("t1", now_.steady)) << "a second call with it may be tried again as well";
  EXPECT_EQ(token_now(), "waits");
  give("t2");
  step();
  EXPECT_FALSE(keeper_.give_up("t2", now_.steady));
  EXPECT_EQ(token_now(), "t2");
  EXPECT_EQ(token_calls(), 2u);
  step(minutes(2));
  EXPECT_TRUE(keeper_.give_up("t2", now_.steady)) << "it has worked meanwhile";
}

TEST_F(TokenKeeperTest, TakesAnOrdinarilyRenewedTokenForNoSuccessorOfARefusedOne) {
  admit();
  step();
  give("t1");
  step();
  step(minutes(56));
  EXPECT_EQ(token_now(), "t1");
  give("t2");
  EXPECT_EQ(token_now(), "t2");
  EXPECT_TRUE(keeper_.give_up("t2", now_.steady));
}

}  // namespace
}  // namespace agent_queue
