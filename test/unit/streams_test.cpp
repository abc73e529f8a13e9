// Goal: what is read from streams, when one is ended, and what its end means. Method: a reader that takes each byte for
// a token ('.' is a keep-alive, '!' an error event, '$' the last word), a transport that holds what the test has put
// in.
#include "engine/streams.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace agent_queue {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ByteReader : public StreamReader {
 public:
  void feed(std::string_view bytes) override {
    for (const char c : bytes) {
      if (c == '!') has_error_ = is_finished_ = true;
      if (c == '$') is_finished_ = true;
      if (c == '.' || is_finished_) continue;
      text_ += c;
    }
  }
  bool has_begun() const override { return !text_.empty(); }
  std::string take_text() override {
    const std::string text = text_.substr(taken_);
    taken_ = text_.size();
    return text;
  }
  bool is_finished() const override { return is_finished_; }
  StreamEnd finish(bool is_cut, std::string_view, WallTime) override {
    StreamEnd end;
    if (!text_.empty()) end.usage = Usage{.input = 5};
    if (has_error_) {
      end.reply = Failure{FailureClass::transient, 200, "overloaded", {}};
    } else if (is_cut || !is_finished_) {
      end.reply = Failure{FailureClass::uncertain, 200, "cut", {}};
    } else {
      Answer answer;
      answer.text = text_;
      answer.usage = {.input = 5, .output = 3};
      answer.usage_known = true;
      end.reply = answer;
    }
    return end;
  }

 private:
  std::string text_;
  std::size_t taken_ = 0;
  bool is_finished_ = false, has_error_ = false;
};

class HeldTransport : public Transport {
 public:
  void submit(CallId, HttpRequest) override {}
  void cancel(CallId) override {}
  void forget(CallId id) override { forgotten.insert(id.value); }
  void poll(std::vector<CallEnd> &) override {}
  void take_progress(std::vector<CallProgress> &progress) override { progress.swap(held); }
  int in_flight() const override { return 0; }

  std::vector<CallProgress> held;
  std::set<std::uint64_t> forgotten;
};

class StreamsTest : public testing::Test {
 protected:
  StreamsTest() {
    AgentType &type = catalog_->agent_types["chat"];
    type.name = "chat";
    type.stream = true;
    type.max_output_tokens = 100;
    type.routes = {{.position = 1, .provider = "p", .model = "m"}};
    Provider &provider = catalog_->providers["p"];
    provider.name = "p";
    provider.timeouts.first_byte = seconds(30);
    Price price;
    price.input = PricePerMtok{1'000'000'000};
    price.output = PricePerMtok{2'000'000'000};
    price.valid_from = WallTime{};
    catalog_->prices.add("p", "m", price);
    attempt_.job.id = JobId{7};
    attempt_.job.agent_type = "chat";
    attempt_.job.max_retries = 3;
    attempt_.job.started_at = now_.wall;
    attempt_.request_bytes = 20;
    attempt_.catalog = catalog_;
    attempt_.type = &type;
    attempt_.target = {type.routes[0].provider, type.routes[0].model};
    attempt_.provider = &provider;
    attempt_.wire_format = find_wire_format("openai");
  }

  AgentType &type() { return catalog_->agent_types["chat"]; }
  void open() { streams_.open(kCall, attempt_, std::make_unique<ByteReader>(), now_.steady); }
  void come(std::string bytes) {
    transport_.held.push_back({kCall, std::move(bytes), now_.steady, opened_});
    follow();
  }
  void follow() { streams_.follow(transport_, ended_, now_.steady); }
  void pass(Micros time) {
    now_.wall += time;
    now_.steady += time;
  }
  CallEnd good_end() {
    CallEnd end;
    end.time_total = seconds(60);
    end.id = kCall;
    end.request_sent = true;
    end.response.status = 200;
    return end;
  }
  CallEnd broken_end(TransportError error = TransportError::broken) {
    CallEnd end = good_end();
    end.response = {};
    end.error = error;
    end.message = "p.example: the connection ended";
    return end;
  }
  Settlement settle(const CallEnd &end) {
    return conclude(attempt_, end, {}, now_, streams_.close(end, {}, now_.wall));
  }

  static constexpr CallId kCall{1};
  Now now_{WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 21)), SteadyTime(seconds(1000))};
  SteadyTime opened_ = now_.steady;
  std::shared_ptr<Catalog> catalog_ = std::make_shared<Catalog>();
  Attempt attempt_;
  HeldTransport transport_;
  Streams streams_;
  std::vector<CallEnd> ended_;
};

TEST_F(StreamsTest, AnswerAndFirstTokenOfAGoodStream) {
  open();
  pass(milliseconds(40));
  come("..");
  pass(milliseconds(200));
  come("hel");
  pass(milliseconds(300));
  come("lo$");
  const Settlement settlement = settle(good_end());
  EXPECT_EQ(settlement.outcome, Outcome::completed);
  EXPECT_NE(settlement.result.find("hello"), std::string::npos);
  ASSERT_TRUE(settlement.usage.has_value());
  EXPECT_EQ(settlement.usage->first_token, milliseconds(240));
  EXPECT_FALSE(settlement.usage->estimated);
  EXPECT_EQ(settlement.usage->usage.output, 3);
  EXPECT_TRUE(ended_.empty());
}

TEST_F(StreamsTest, AnswersThatAreNoStreamAreReadAsEver) {
  open();
  CallEnd limited = good_end();
  limited.response.status = 429;
  limited.response.headers = {{"retry-after", "7"}};
  limited.response.body = "{}";
  const Settlement settlement = settle(limited);
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  EXPECT_EQ(settlement.run_at, now_.wall + seconds(7));
  EXPECT_FALSE(settlement.usage.has_value());
  EXPECT_FALSE(settlement.has_parts);
}

TEST_F(StreamsTest, CallsThatAreNotStreamedHaveNoStream) {
  EXPECT_FALSE(streams_.close(good_end(), {}, now_.wall).has_value());
  EXPECT_FALSE(streams_.next_due().has_value());
}

TEST_F(StreamsTest, AnErrorEventInsideAGoodAnswerIsAnErrorAndWhatHadComeIsBilled) {
  open();
  come("hel!");
  const Settlement settlement = settle(good_end());
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  EXPECT_EQ(settlement.error_code, JobErrorCode::provider_error);
  EXPECT_EQ(settlement.error_message, "overloaded");
  ASSERT_TRUE(settlement.usage.has_value());
  EXPECT_TRUE(settlement.usage->estimated);
}

TEST_F(StreamsTest, AnErrorEventBeforeAnyTokenIsNotBilled) {
  open();
  come(".!");
  const Settlement settlement = settle(good_end());
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  EXPECT_FALSE(settlement.usage.has_value());
}

TEST_F(StreamsTest, ARefusalInOnePieceStopsTheWaitingAndIsNotBilled) {
  streams_.open(kCall, attempt_, attempt_.wire_format->open_stream(), now_.steady);
  come(R"({"error":)");
  pass(seconds(300));
  follow();
  EXPECT_TRUE(ended_.empty());
  come(R"({"code":429,"message":"slow down"}})");
  const Settlement settlement = settle(good_end());
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  EXPECT_EQ(settlement.error_message, "HTTP 200: slow down");
  EXPECT_FALSE(settlement.usage.has_value());
}

TEST_F(StreamsTest, AnAnswerInOnePieceHasItsFirstTokenAndACutOneIsBilled) {
  const std::string body = R"({"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],)";
  for (const bool is_whole : {true, false}) {
    streams_.open(kCall, attempt_, attempt_.wire_format->open_stream(), now_.steady);
    come(body);
    if (is_whole) come(R"("usage":{"prompt_tokens":1,"completion_tokens":1}})");
    const Settlement settlement = settle(is_whole ? good_end() : broken_end());
    EXPECT_EQ(settlement.outcome, is_whole ? Outcome::completed : Outcome::retry);
    ASSERT_TRUE(settlement.usage.has_value());
    EXPECT_TRUE(settlement.usage->first_token.has_value());
    EXPECT_EQ(settlement.usage->estimated, !is_whole);
  }
}

TEST_F(StreamsTest, AnErrorEventCountsThoughTheConnectionBreaksAfterIt) {
  open();
  come("hel!");
  const Settlement settlement = settle(broken_end());
  EXPECT_EQ(settlement.error_message, "overloaded");
  EXPECT_EQ(settlement.error_code, JobErrorCode::provider_error);
}

TEST_F(StreamsTest, ACutStreamIsUncertainItsReportedPartsExactTheRestTheWorst) {
  open();
  pass(milliseconds(10));
  come("hel");
  const Settlement settlement = settle(broken_end());
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  EXPECT_EQ(settlement.error_code, JobErrorCode::uncertain);
  EXPECT_EQ(settlement.error_message, "p.example: the connection ended") << "the transport knows why";
  ASSERT_TRUE(settlement.usage.has_value());
  EXPECT_TRUE(settlement.usage->estimated);
  EXPECT_EQ(settlement.usage->usage.input, 5) << "as reported";
  EXPECT_EQ(settlement.usage->usage.output, 100) << "all that was allowed";
  EXPECT_EQ(settlement.usage->cost, *Usd::parse("0.000205"));
  EXPECT_EQ(settlement.usage->first_token, milliseconds(10));
}

TEST_F(StreamsTest, ACutStreamThatHadSaidNothingIsBookedAtItsWorst) {
  open();
  come("..");
  const Settlement settlement = settle(broken_end());
  ASSERT_TRUE(settlement.usage.has_value());
  EXPECT_GE(settlement.usage->usage.input, 20);
  EXPECT_EQ(settlement.usage->usage.output, 100);
  EXPECT_FALSE(settlement.usage->first_token.has_value());
}

TEST_F(StreamsTest, ACutStreamFailsWhereTheTypeSaysSo) {
  type().on_uncertain = OnUncertain::fail;
  open();
  come("hel");
  EXPECT_EQ(settle(broken_end()).outcome, Outcome::failed);
}

TEST_F(StreamsTest, NothingIsBilledWhereNothingWasSent) {
  open();
  CallEnd refused = broken_end(TransportError::connect);
  refused.request_sent = false;
  const Settlement settlement = settle(refused);
  EXPECT_EQ(settlement.outcome, Outcome::retry);
  EXPECT_FALSE(settlement.usage.has_value());
}

TEST_F(StreamsTest, AnAnswerThatIsTooLargeIsGarbledAndBilled) {
  open();
  come("hel");
  const Settlement settlement = settle(broken_end(TransportError::too_large));
  EXPECT_EQ(settlement.error_code, JobErrorCode::provider_error);
  EXPECT_TRUE(settlement.usage.has_value());
}

TEST_F(StreamsTest, AFinishedStreamIsAnAnswerHoweverItsConnectionEnds) {
  open();
  come("hello$");
  EXPECT_EQ(settle(broken_end()).outcome, Outcome::completed);
}

TEST_F(StreamsTest, AFinishedStreamDoesNotWaitLongForTheEndOfItsConnection) {
  open();
  come("hello$");
  ASSERT_TRUE(streams_.next_due().has_value());
  EXPECT_LE(*streams_.next_due(), now_.steady + seconds(1));
  pass(*streams_.next_due() - now_.steady);
  follow();
  ASSERT_EQ(ended_.size(), 1u);
  EXPECT_TRUE(transport_.forgotten.contains(kCall.value));
  EXPECT_EQ(settle(ended_[0]).outcome, Outcome::completed);
}

TEST_F(StreamsTest, KeepAlivesAreNoFirstToken) {
  open();
  for (int i = 0; i < 29; ++i) {
    pass(seconds(1));
    come(".");
    ASSERT_TRUE(ended_.empty());
  }
  pass(seconds(1));
  follow();
  ASSERT_EQ(ended_.size(), 1u);
  EXPECT_EQ(ended_[0].error, TransportError::first_byte_timeout);
  EXPECT_TRUE(transport_.forgotten.contains(kCall.value));
  const Settlement settlement = settle(ended_[0]);
  EXPECT_EQ(settlement.error_code, JobErrorCode::uncertain);
  EXPECT_NE(settlement.error_message.find("no first token"), std::string::npos);
  EXPECT_TRUE(settlement.usage.has_value());
}

TEST_F(StreamsTest, OnceTheFirstTokenHasComeOnlyTheTransportWatches) {
  open();
  come(".");
  come("h");
  pass(seconds(300));
  follow();
  EXPECT_TRUE(ended_.empty());
  EXPECT_FALSE(streams_.next_due().has_value());
}

TEST_F(StreamsTest, TheFirstTokenIsWaitedForFromWhenTheRequestHadLeft) {
  open();
  pass(seconds(100));  // a large request on a slow line
  opened_ = now_.steady;
  come(".");
  pass(seconds(29));
  follow();
  EXPECT_TRUE(ended_.empty());
}

TEST_F(StreamsTest, TextSoFarIsKeptAsTheTypeSays) {
  type().stream_notify = true;
  open();
  come("he.l");
  pass(seconds(1));
  const auto batch = streams_.parts().next_batch(now_.steady);
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(batch[0].text, "hel");
  EXPECT_EQ(batch[0].id, JobId{7});
  EXPECT_EQ(batch[0].started_at, attempt_.job.started_at);
  EXPECT_TRUE(batch[0].is_told);
  streams_.parts().accept(now_.steady);
  EXPECT_TRUE(settle(broken_end()).has_parts);
}

TEST_F(StreamsTest, NoTextIsKeptWithoutAnInterval) {
  type().stream_interval.reset();
  open();
  come("hel");
  EXPECT_FALSE(streams_.parts().next_due().has_value());
  const Settlement settlement = settle(broken_end());
  EXPECT_FALSE(settlement.has_parts);
  EXPECT_TRUE(settlement.usage->first_token.has_value());
}

TEST_F(StreamsTest, AnAppointmentEndsWithTheLastStream) {
  open();
  come("..");
  ASSERT_TRUE(streams_.next_due().has_value());
  settle(broken_end());
  pass(seconds(100));
  follow();
  EXPECT_FALSE(streams_.next_due().has_value()) << "else the engine would run again and again";
}

TEST_F(StreamsTest, AForgottenStreamSaysNothingMore) {
  open();
  come("hel");
  streams_.forget(kCall);
  come("lo");
  pass(seconds(100));
  follow();
  EXPECT_TRUE(ended_.empty());
  EXPECT_TRUE(streams_.parts().next_batch(now_.steady).empty());
}

}  // namespace
}  // namespace agent_queue
