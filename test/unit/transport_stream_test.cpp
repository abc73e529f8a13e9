// CurlTransport hands over a streamed answer as it comes. Against test/support/imposter.py's /sse.
#include <algorithm>
#include <map>

#include "support/transport_fixture.hpp"

namespace agent_queue {
namespace {

class TransportStreamTest : public TransportTest {
 protected:
  static HttpRequest stream(const std::string &script) {
    HttpRequest streamed = request("/sse/" + script + "/chat/completions");
    streamed.stream = true;
    return streamed;
  }

  void poll_once() {
    pollfd wait{transport_->event_fd(), POLLIN, 0};
    ::poll(&wait, 1, 100);
    transport_->poll(ended_);
    std::vector<CallProgress> progress;
    transport_->take_progress(progress);
    for (CallProgress &piece : progress) {
      EXPECT_FALSE(piece.bytes.empty());
      EXPECT_LE(piece.sent_at, piece.at);
      bytes_ += piece.bytes;
    }
  }
  void poll_until(const std::function<bool()> &done) {
    const SteadyTime give_up = steady_now() + seconds(20);
    while (!done() && steady_now() < give_up) poll_once();
    ASSERT_TRUE(done());
  }
  CallEnd run(HttpRequest what) {
    submit(std::move(what));
    poll_until([this] { return !ended_.empty(); });
    CallEnd end = std::move(ended_.front());
    ended_.clear();
    return end;
  }
  bool has(const char *text) const { return bytes_.find(text) != std::string::npos; }

  std::string bytes_;
  std::vector<CallEnd> ended_;
};

TEST_F(TransportStreamTest, BytesComeWhileTheCallIsUnderWay) {
  submit(stream("text:early,hold,text:late,stop,usage,done"));
  poll_until([this] { return has("early"); });
  EXPECT_TRUE(ended_.empty());
  EXPECT_FALSE(has("late"));

  CurlTransportOptions options;
  auto other = CurlTransport::create(options);
  ASSERT_TRUE(other.ok());
  (*other)->submit(CallId{1}, request("/_release"));
  std::vector<CallEnd> released;
  poll_until([&] {
    (*other)->poll(released);
    return !ended_.empty();
  });
  EXPECT_TRUE(has("late"));
  EXPECT_TRUE(has("[DONE]")) << "all of it is there before the end is told";
  EXPECT_EQ(ended_[0].error, TransportError::none) << ended_[0].message;
  EXPECT_EQ(ended_[0].response.status, 200);
  EXPECT_EQ(ended_[0].response.header("content-type"), "text/event-stream");
  EXPECT_EQ(ended_[0].response.body, "") << "it was handed over";
}

TEST_F(TransportStreamTest, WhatCameOfACutStreamIsThereBeforeItsEnd) {
  const CallEnd end = run(stream("text:half,cut"));
  EXPECT_TRUE(has("half"));
  expect_error(end, TransportError::broken, true);
  EXPECT_EQ(end.message.find(" 0 bytes"), std::string::npos) << end.message;
}

TEST_F(TransportStreamTest, OtherAnswersThanGoodOnesAreKeptWhole) {
  HttpRequest refused = request("/status/429/x?retry_after=2");
  refused.stream = true;
  const CallEnd end = run(std::move(refused));
  EXPECT_EQ(end.response.status, 429);
  EXPECT_NE(end.response.body.find("imposter says 429"), std::string::npos);
  EXPECT_EQ(bytes_, "");
}

TEST_F(TransportStreamTest, AStreamWithoutAnEndIsBounded) {
  TransferLimits limits;
  limits.max_response_bytes = 100'000;
  transport_->set_limits(limits);
  const CallEnd end = run(stream("endless:1000"));
  expect_error(end, TransportError::too_large, true);
  EXPECT_LE(bytes_.size(), 16 * 100'000u);  // a stream wraps each token in some hundred bytes
  EXPECT_GT(bytes_.size(), 50'000u);
}

TEST_F(TransportStreamTest, KeepAlivesHoldOffTheIdleTimeOutAndNotTheTotalOne) {
  HttpRequest pinged = stream("pings:20");
  pinged.timeouts.idle = milliseconds(200);
  pinged.timeouts.total = milliseconds(800);
  expect_error(run(std::move(pinged)), TransportError::total_timeout, true);
  HttpRequest silent = stream("ping,hang");
  silent.timeouts.idle = milliseconds(200);
  expect_error(run(std::move(silent)), TransportError::idle_timeout, true);
}

TEST_F(TransportStreamTest, AForgottenStreamSaysNothingMore) {
  const CallId id = submit(stream("text:one,hold"));
  poll_until([this] { return has("one"); });
  bytes_.clear();
  transport_->forget(id);
  EXPECT_EQ(transport_->in_flight(), 0);
  EXPECT_EQ(run(stream("text:two,done")).error, TransportError::none);
  EXPECT_TRUE(has("two"));
  EXPECT_FALSE(has("one"));
}

TEST_F(TransportStreamTest, ManyStreamsAtATimeAreNotMixedUp) {
  std::map<std::uint64_t, std::string> texts;
  std::map<std::uint64_t, std::string> expected;
  for (int i = 0; i < 50; ++i) {
    const std::string name = "<" + std::to_string(i) + ">";
    expected[submit(stream("text:" + name + ",wait:10,text:" + name + ",done")).value] = name;
  }
  std::vector<CallEnd> ended;
  std::vector<CallProgress> progress;
  const SteadyTime give_up = steady_now() + seconds(20);
  while (ended.size() < expected.size() && steady_now() < give_up) {
    pollfd wait{transport_->event_fd(), POLLIN, 0};
    ::poll(&wait, 1, 100);
    transport_->poll(ended);
    transport_->take_progress(progress);
  }
  for (const CallProgress &piece : progress) texts[piece.id.value] += piece.bytes;
  ASSERT_EQ(ended.size(), expected.size());
  for (const auto &[id, name] : expected) {
    const std::string &text = texts[id];
    const std::size_t first = text.find(name);
    ASSERT_NE(first, std::string::npos) << text;
    EXPECT_NE(text.find(name, first + 1), std::string::npos) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '<'), 2) << text;
  }
}

}  // namespace
}  // namespace agent_queue
