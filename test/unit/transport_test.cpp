// CurlTransport over real HTTP against test/support/imposter.py: how calls end, connections, time-outs, many at once.
#include <map>

#include "support/transport_fixture.hpp"

namespace agent_queue {
namespace {

TEST_F(TransportTest, AnswerComesWhole) {
  const CallEnd end = call("/ok/v1/chat/completions");
  ASSERT_EQ(end.error, TransportError::none) << end.message;
  EXPECT_TRUE(end.request_sent);
  EXPECT_EQ(end.response.status, 200);
  EXPECT_EQ(end.response.header("content-type"), "application/json");
  EXPECT_NE(end.response.body.find("echo: hola"), std::string::npos);
  EXPECT_GT(end.time_total.count(), 0);
  const auto calls = journal()["calls"];
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_TRUE(calls[0]["authorization_present"].get<bool>());
  EXPECT_EQ(calls[0]["body_len"], request("").body.size());
}

TEST_F(TransportTest, LargeAndEmptyBodiesAndHeadersArrive) {
  HttpRequest large = request("/ok/large");
  large.body.assign(3 << 20, 'x');
  EXPECT_EQ(call(std::move(large)).response.status, 200);
  HttpRequest empty = request("/ok/empty");
  empty.body.clear();
  empty.headers.push_back({"X-Empty", ""});
  EXPECT_EQ(call(std::move(empty)).response.status, 200);
  const auto calls = journal()["calls"];
  EXPECT_EQ(calls[0]["body_len"], 3 << 20);
  EXPECT_EQ(calls[1]["body_len"], 0);
}

TEST_F(TransportTest, StatusesAndHeadersAreNoErrors) {
  const CallEnd limited = call("/status/429/x?retry_after=2&retry_after_ms=1500");
  EXPECT_EQ(limited.error, TransportError::none);
  EXPECT_EQ(limited.response.status, 429);
  EXPECT_EQ(limited.response.header("retry-after"), "2");
  EXPECT_EQ(limited.response.header("retry-after-ms"), "1500");
  EXPECT_EQ(call("/html502").response.status, 502);
  EXPECT_EQ(call("/empty").response.body, "");
  EXPECT_NE(call("/nul").response.body.find('\0'), std::string::npos);
  const CallEnd interim = call("/interim");
  EXPECT_EQ(interim.response.status, 200);
  EXPECT_EQ(interim.response.header("link"), "") << "of the 103";
  const CallEnd chunked = call("/chunked");
  EXPECT_NE(chunked.response.body.find("echo: hola"), std::string::npos);
}

TEST_F(TransportTest, RedirectsAreNotFollowedAndGzipIsNotUnpacked) {
  const CallEnd redirect = call("/redirect");
  EXPECT_EQ(redirect.response.status, 302);
  EXPECT_EQ(redirect.response.header("location"), "/ok");
  const CallEnd bomb = call("/gzip");
  EXPECT_EQ(bomb.error, TransportError::none);
  EXPECT_LT(bomb.response.body.size(), 1u << 20);
  EXPECT_EQ(bomb.response.body.substr(0, 2), "\x1f\x8b");
  EXPECT_FALSE(journal()["counts"].contains("/ok"));
}

TEST_F(TransportTest, ConnectionsAreKept) {
  for (int i = 0; i < 20; ++i) ASSERT_EQ(call("/ok").response.status, 200);
  EXPECT_EQ(connections(), 0) << "all of them on the connection of SetUp's call";
}

TEST_F(TransportTest, KeptConnectionThatTheServerClosedIsReplaced) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(call("/close").error, TransportError::none);
    const CallEnd after = call("/ok");
    ASSERT_EQ(after.error, TransportError::none) << after.message;
  }
  const auto counts = journal()["counts"];
  EXPECT_EQ(counts["/close"], 20);
  EXPECT_EQ(counts["/ok"], 20);
}

TEST_F(TransportTest, RequestOnADyingKeptConnectionIsRepeatedOnAFreshOne) {
  // The connection is kept, so curl cannot tell a reset after our request from one before it. As often as it happens.
  for (int i = 0; i < 20; ++i) {
    const std::string path = "/sequence/rst,200/race" + std::to_string(i);
    const CallEnd end = call(path);
    ASSERT_EQ(end.error, TransportError::none) << end.message;
    EXPECT_NE(end.response.body.find("echo: hola"), std::string::npos) << "the body was sent again";
    EXPECT_EQ(journal()["counts"][path], 2);
  }
}

TEST_F(TransportTest, RequestIsNotRepeatedLongAfterItWasSent) {
  const CallEnd end = call("/delayed_rst/1200");
  expect_error(end, TransportError::broken, true);
  EXPECT_EQ(journal()["counts"]["/delayed_rst/1200"], 1);
}

TEST_F(TransportTest, BrokenConnections) {
  make_transport({});  // without a kept connection: nothing is repeated
  expect_error(call("/rst"), TransportError::broken, true);
  expect_error(call("/cut/headers"), TransportError::broken, true);
  const CallEnd cut = call("/cut/body");
  expect_error(cut, TransportError::broken, true);
  EXPECT_NE(cut.message.find("500 bytes of the answer"), std::string::npos) << cut.message;
  const CallEnd reset = call(request_to("http://127.0.0.1:" + std::to_string(imposter_->reset_port()) + "/"));
  EXPECT_TRUE(reset.error == TransportError::broken || reset.error == TransportError::connect) << reset.message;
}

TEST_F(TransportTest, NothingListens) {
  const ClosedPort port;
  const CallEnd end = call(request_to(port.url()));
  expect_error(end, TransportError::connect, false);
  EXPECT_NE(end.message.find("127.0.0.1:"), std::string::npos);
}

TEST_F(TransportTest, NotHttp) {
  expect_error(call("/nothttp"), TransportError::protocol, true);
}

TEST_F(TransportTest, TimeoutsSayWhereTheTimeWent) {
  HttpRequest hang = request("/hang?secret-token");
  hang.timeouts.first_byte = milliseconds(150);
  const CallEnd first_byte = call(hang);
  expect_error(first_byte, TransportError::first_byte_timeout, true);
  EXPECT_NE(first_byte.message.find("sent, no first byte"), std::string::npos) << first_byte.message;
  EXPECT_NE(first_byte.message.find("127.0.0.1:"), std::string::npos) << first_byte.message;
  EXPECT_GE(first_byte.time_total, milliseconds(150));
  EXPECT_LT(first_byte.time_total, milliseconds(1500));

  HttpRequest stall = request("/stall");
  stall.timeouts.idle = milliseconds(150);
  const CallEnd idle = call(stall);
  expect_error(idle, TransportError::idle_timeout, true);
  EXPECT_NE(idle.message.find("10 bytes of the answer"), std::string::npos) << idle.message;

  HttpRequest drip = request("/drip/20");
  drip.timeouts.idle = seconds(5);
  drip.timeouts.total = milliseconds(300);
  expect_error(call(drip), TransportError::total_timeout, true);
}

TEST_F(TransportTest, SlowButSteadyAnswersAreNoTimeouts) {
  HttpRequest drip = request("/drip/2");
  drip.timeouts.idle = milliseconds(400);
  EXPECT_EQ(call(drip).response.status, 200);
  HttpRequest delay = request("/delay/300");
  delay.timeouts.first_byte = seconds(2);
  delay.timeouts.idle = milliseconds(50);
  EXPECT_EQ(call(delay).response.status, 200);
}

TEST_F(TransportTest, ConnectTimeout) {
  // A backlog that is full: the kernel answers no further SYN.
  const ClosedPort port;
  ASSERT_EQ(listen(port.fd(), 0), 0);
  for (int i = 0; i < 8; ++i) {
    HttpRequest slow = request_to(port.url());
    slow.timeouts.connect = milliseconds(300);
    slow.timeouts.first_byte = milliseconds(300);
    submit(std::move(slow));
  }
  int not_connected = 0;
  for (const CallEnd &end : finish(8)) {
    if (end.error != TransportError::connect_timeout) continue;
    ++not_connected;
    expect_error(end, TransportError::connect_timeout, false);
    EXPECT_NE(end.message.find("not connected"), std::string::npos) << end.message;
  }
  EXPECT_GT(not_connected, 0);
}

TEST_F(TransportTest, AnswersThatLayInTheSocketAreReadBeforeTimeoutsAreJudged) {
  HttpRequest late = request("/delay/50");
  late.timeouts.first_byte = milliseconds(200);
  late.timeouts.total = milliseconds(250);
  submit(late);
  std::vector<CallEnd> ended;
  for (const SteadyTime until = steady_now() + milliseconds(20); steady_now() < until;) transport_->poll(ended);
  ASSERT_TRUE(ended.empty());
  ::poll(nullptr, 0, 400);  // the worker was busy elsewhere
  EXPECT_EQ(finish(1).front().error, TransportError::none);
}

TEST_F(TransportTest, ThousandCallsAtOnce) {
  for (int i = 0; i < 1000; ++i) submit(request("/delay/100"));
  EXPECT_EQ(transport_->in_flight(), 1000);
  std::map<std::uint64_t, int> seen;
  for (const CallEnd &end : finish(1000)) {
    EXPECT_EQ(end.error, TransportError::none) << end.message;
    ++seen[end.id.value];
  }
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(transport_->in_flight(), 0);
}

TEST_F(TransportTest, ACancelledCallEndsAndSaysThatItWasSent) {
  const CallId hanging = submit(request("/hang"));
  CurlTransportOptions options;
  const auto other = CurlTransport::create(options);  // asks the imposter, so that this one's ends are left alone
  drive_until([&] { return journal_of(**other)["calls"].size() == 1; });
  transport_->cancel(hanging);
  EXPECT_EQ(transport_->in_flight(), 1);  // until it is told
  const CallEnd end = finish(1).front();
  EXPECT_EQ(end.id, hanging);
  expect_error(end, TransportError::cancelled, true);
  EXPECT_EQ(transport_->in_flight(), 0);
  EXPECT_EQ(call("/ok").response.status, 200);
}

TEST_F(TransportTest, ACallThatIsCancelledBeforeItIsDrivenIsNeverSent) {
  const CallId id = submit(request("/ok/never"));
  transport_->cancel(id);
  const CallEnd end = finish(1).front();
  EXPECT_EQ(end.id, id);
  expect_error(end, TransportError::cancelled, false);
  const auto seen = journal();
  for (const auto &one : seen["calls"]) EXPECT_NE(one["path"], "/ok/never");
}

TEST_F(TransportTest, CancelLeavesTheEndOfARefusedCallAndIgnoresUnknownOnes) {
  const CallId refused = submit(request_to("http://"));
  transport_->cancel(refused);
  transport_->cancel(CallId{424242});
  expect_error(finish(1).front(), TransportError::bad_url, false);
  EXPECT_EQ(transport_->in_flight(), 0);
}

TEST_F(TransportTest, ACancelledCallClosesItsConnection) {
  const CallId hanging = submit(request("/hang/closed"));
  const auto other = CurlTransport::create({});
  const auto seen = [&] { return journal_of(**other); };
  drive_until([&] { return seen()["calls"].size() == 1; });
  transport_->cancel(hanging);
  finish(1);
  const SteadyTime give_up = steady_now() + seconds(10);
  while (seen()["closed"].empty() && steady_now() < give_up) {
  }
  EXPECT_EQ(seen()["closed"].at(0)["path"], "/hang/closed");
}

TEST_F(TransportTest, ManyCallsInFlightAreDroppedQuickly) {
  for (int i = 0; i < 500; ++i) submit(request("/hang"));
  drive_until([] {
    static int turns = 0;
    return ++turns > 20;
  });
  const SteadyTime start = steady_now();
  transport_.reset();
  EXPECT_LT(steady_now() - start, milliseconds(200));
}

TEST_F(TransportTest, DescriptorIsQuietWhileNothingHappens) {
  ASSERT_EQ(call("/ok").response.status, 200);
  submit(request("/hang"));
  drive_until([] {
    static int turns = 0;
    return ++turns > 20;
  });
  int woken = 0;
  std::vector<CallEnd> ended;
  for (const SteadyTime until = steady_now() + milliseconds(300); steady_now() < until;) {
    pollfd wait{transport_->event_fd(), POLLIN, 0};
    if (::poll(&wait, 1, 50) > 0) ++woken;
    transport_->poll(ended);
  }
  EXPECT_LE(woken, 2);
}

}  // namespace
}  // namespace agent_queue
