// CurlTransport over HTTP/2: calls share a connection, and it or one of its streams can fail. Against
// test/support/imposter_h2.py.
#include "support/certificate.hpp"
#include "support/transport_fixture.hpp"

namespace agent_queue {
namespace {

class TransportHttp2Test : public TransportTest {
 protected:
  static void SetUpTestSuite() { certificate_ = new Certificate; }
  static void TearDownTestSuite() {
    delete certificate_;
    certificate_ = nullptr;
  }

  // A server of its own for each test: its connections are counted.
  void SetUp() override {
    server_ = std::make_unique<ImposterProcess>(
        std::vector<std::string>{"--tls-cert", certificate_->cert(), "--tls-key", certificate_->key()},
        "imposter_h2.py");
    CurlTransportOptions options;
    options.ca_file = certificate_->cert();
    make_transport(options);
  }
  void TearDown() override { transport_.reset(); }

  HttpRequest to(const std::string &path) { return request_to(server_->url(path, "https")); }

  // How often the server has seen a path, and how many connections there were.
  nlohmann::json seen() { return nlohmann::json::parse(call(to("/_calls")).response.body); }
  static std::size_t calls_of(const nlohmann::json &seen, const std::string &path) {
    std::size_t calls = 0;
    for (const auto &one : seen["calls"]) calls += one["path"] == path ? 1u : 0u;
    return calls;
  }

  inline static Certificate *certificate_ = nullptr;
  std::unique_ptr<ImposterProcess> server_;
};

TEST_F(TransportHttp2Test, AnswersComeWhole) {
  const CallEnd end = call(to("/ok"));
  EXPECT_EQ(end.error, TransportError::none) << end.message;
  EXPECT_EQ(end.response.status, 200);
  EXPECT_EQ(end.response.header("content-type"), "application/json");
  EXPECT_NE(end.response.body.find("echo: hola"), std::string::npos) << end.response.body;
  EXPECT_EQ(call(to("/none")).response.status, 404);
}

TEST_F(TransportHttp2Test, ManyCallsShareOneConnection) {
  ASSERT_EQ(call(to("/ok")).response.status, 200);
  const SteadyTime start = steady_now();
  for (int i = 0; i < 50; ++i) submit(to("/delay/300"));
  for (const CallEnd &end : finish(50)) EXPECT_EQ(end.response.status, 200) << end.message;
  EXPECT_LT(steady_now() - start, seconds(50 * 300 / 1000 / 2)) << "one after the other";
  EXPECT_EQ(seen()["connections"], 1);
}

TEST_F(TransportHttp2Test, CallsThatOpenTheConnectionShareIt) {
  for (int i = 0; i < 50; ++i) submit(to("/delay/50"));
  for (const CallEnd &end : finish(50)) EXPECT_EQ(end.response.status, 200) << end.message;
  EXPECT_EQ(seen()["connections"], 1);
}

// The server takes a hundred streams at once.
TEST_F(TransportHttp2Test, MoreCallsThanAConnectionTakesAllEnd) {
  for (int i = 0; i < 350; ++i) submit(to("/delay/50"));
  for (const CallEnd &end : finish(350)) EXPECT_EQ(end.response.status, 200) << end.message;
}

TEST_F(TransportHttp2Test, LargeBodiesPassTheFlowControl) {
  HttpRequest large = to("/ok");
  large.body = R"({"messages":[{"role":"user","content":")" + std::string(3'000'000, 'x') + R"("}]})";
  const CallEnd end = call(std::move(large));
  EXPECT_EQ(end.response.status, 200) << end.message;
  EXPECT_GT(end.response.body.size(), 3'000'000u);
}

TEST_F(TransportHttp2Test, AfterTheLastCallOfAConnectionComesAnother) {
  for (int i = 0; i < 5; ++i) {
    const CallEnd last = call(to("/last"));
    EXPECT_EQ(last.response.status, 200) << last.message;
  }
  EXPECT_EQ(call(to("/ok")).response.status, 200);
}

// The server's word that a call was not begun: it is made again, and nobody is charged for it.
TEST_F(TransportHttp2Test, RefusedStreamIsMadeAgain) {
  const CallEnd end = call(to("/refuse"));
  EXPECT_EQ(end.response.status, 200) << end.message;
  EXPECT_EQ(calls_of(seen(), "/refuse"), 2u);
}

TEST_F(TransportHttp2Test, CallBehindTheLastOneIsMadeAgain) {
  ASSERT_EQ(call(to("/ok")).response.status, 200);
  submit(to("/delay/300"));
  submit(to("/not_begun"));
  for (const CallEnd &end : finish(2)) EXPECT_EQ(end.response.status, 200) << end.message;
  const auto seen_calls = seen();
  EXPECT_EQ(calls_of(seen_calls, "/not_begun"), 2u);
  EXPECT_EQ(calls_of(seen_calls, "/delay/300"), 1u);
}

// Where no other call is on the connection, curl 7.88 gives the connection up and does not say why: the call may have
// been made, for all that is known then.
TEST_F(TransportHttp2Test, CallThatIsAloneBehindTheLastOneIsMadeAgainOrUncertain) {
  const CallEnd end = call(to("/not_begun"));
  if (end.error == TransportError::none)
    EXPECT_EQ(end.response.status, 200);
  else
    expect_error(end, TransportError::protocol, true);
}

TEST_F(TransportHttp2Test, CallThatIsAlwaysRefusedEnds) {
  const CallEnd end = call(to("/refuse/always"));
  expect_error(end, TransportError::broken, true);
  EXPECT_LT(calls_of(seen(), "/refuse/always"), 10u);
}

// What the server had begun is not repeated: it may have been billed.
TEST_F(TransportHttp2Test, StreamThatEndsBadlyIsBrokenAndNotRepeated) {
  for (const char *path : {"/reset", "/reset_midway", "/short"}) {
    SCOPED_TRACE(path);
    const CallEnd end = call(to(path));
    EXPECT_TRUE(end.error == TransportError::broken || end.error == TransportError::protocol) << end.message;
    EXPECT_TRUE(end.request_sent);
    EXPECT_EQ(calls_of(seen(), path), 1u);
  }
}

TEST_F(TransportHttp2Test, ResetOfOneStreamLeavesTheOthers) {
  ASSERT_EQ(call(to("/ok")).response.status, 200);
  for (int i = 0; i < 20; ++i) submit(to("/delay/200"));
  const CallId bad = submit(to("/reset"));
  int whole = 0;
  for (const CallEnd &end : finish(21)) {
    if (end.id == bad)
      EXPECT_NE(end.error, TransportError::none);
    else
      whole += end.response.status == 200 ? 1 : 0;
  }
  EXPECT_EQ(whole, 20);
  EXPECT_EQ(seen()["connections"], 1);
}

TEST_F(TransportHttp2Test, CutConnectionEndsAllCallsOnIt) {
  ASSERT_EQ(call(to("/ok")).response.status, 200);
  for (int i = 0; i < 20; ++i) submit(to("/hang"));
  drive_until([this] { return transport_->in_flight() == 20; });
  submit(to("/cut"));
  for (const CallEnd &end : finish(21)) {
    EXPECT_EQ(end.error, TransportError::broken) << end.message;
    EXPECT_TRUE(end.request_sent);
  }
  EXPECT_EQ(call(to("/ok")).response.status, 200);
}

TEST_F(TransportHttp2Test, WhatIsNoFrameBreaksTheRules) {
  const CallEnd end = call(to("/garbage"));
  EXPECT_TRUE(end.error == TransportError::broken || end.error == TransportError::protocol) << end.message;
  EXPECT_TRUE(end.request_sent);
  EXPECT_EQ(call(to("/ok")).response.status, 200);
}

TEST_F(TransportHttp2Test, TimeoutEndsItsCallAlone) {
  ASSERT_EQ(call(to("/ok")).response.status, 200);
  HttpRequest hanging = to("/hang");
  hanging.timeouts.first_byte = milliseconds(200);
  submit(hanging);
  submit(to("/delay/600"));
  int timeouts = 0, whole = 0;
  for (const CallEnd &end : finish(2)) {
    timeouts += end.error == TransportError::first_byte_timeout ? 1 : 0;
    whole += end.response.status == 200 ? 1 : 0;
  }
  EXPECT_EQ(timeouts, 1);
  EXPECT_EQ(whole, 1);
  EXPECT_EQ(seen()["connections"], 1);
}

}  // namespace
}  // namespace agent_queue
