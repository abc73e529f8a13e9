// Goal: what the engine does with streams: how text so far gets into rounds, and that it never stands in the way of a
// settlement. Method: the real openai format, a transport that holds what the test has put in, a store that can refuse.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "engine/engine.hpp"
#include "support/fake_signer.hpp"

namespace agent_queue {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PartsStore : public JobStore {
 public:
  struct Seen {
    std::vector<Settlement> settlements;
    std::vector<StreamPart> parts;
    int claim_limit = 0;
  };
  RoundResult round(const Round &round, Now) override {
    rounds.push_back({{round.settlements.begin(), round.settlements.end()},
                      {round.parts.begin(), round.parts.end()},
                      round.claim_limit});
    RoundResult result;
    if (refuses && refuses(round)) {
      result.failure = StoreFailure{trouble, "it would not"};
      return result;
    }
    for (const StreamPart &part : round.parts) text += part.text;
    result.report.fates.assign(round.settlements.size(), SettleFate::settled);
    if (round.claim_limit > 0) result.report.claimed = std::exchange(waiting, {});
    return result;
  }
  std::optional<std::vector<ClaimedJob>> rescue(Now) override { return std::vector<ClaimedJob>{}; }
  std::optional<int> promote_due(Now) override { return 0; }
  std::optional<WallTime> next_due() const override { return std::nullopt; }
  bool work_hinted() override { return !waiting.empty(); }
  bool rescue_hinted() override { return false; }
  bool cancel_hinted() override { return false; }
  std::vector<std::size_t> take_cancelled(std::span<const AttemptId>, Now) override { return {}; }
  std::shared_ptr<const Catalog> catalog() override { return catalog_; }

  std::vector<Seen> rounds;
  std::function<bool(const Round &)> refuses;
  StoreTrouble trouble = StoreTrouble::busy;
  std::string text;
  std::vector<ClaimedJob> waiting;
  std::shared_ptr<Catalog> catalog_ = std::make_shared<Catalog>();
};

class PiecesTransport : public Transport {
 public:
  void submit(CallId id, HttpRequest request) override {
    calls.push_back(id);
    requests.push_back(std::move(request));
  }
  void cancel(CallId id) override { std::erase(calls, id); }
  void forget(CallId id) override { std::erase(calls, id); }
  void poll(std::vector<CallEnd> &ended) override { ended.swap(ends); }
  void take_progress(std::vector<CallProgress> &progress) override { progress.swap(pieces); }
  int in_flight() const override { return static_cast<int>(calls.size()); }

  std::vector<CallId> calls;
  std::vector<HttpRequest> requests;
  std::vector<CallProgress> pieces;
  std::vector<CallEnd> ends;
};

class NoSecrets : public Secrets {
 public:
  Result<std::string> resolve(std::string_view) override { return std::string(); }
  void forget() override {}
};

class CountingLog : public Log {
 public:
  void write(LogLevel, std::string_view) noexcept override { ++lines; }
  int lines = 0;
};

class EngineStreamTest : public testing::Test {
 protected:
  EngineStreamTest() {
    Provider &provider = store_.catalog_->providers["p"];
    provider.name = "p";
    provider.wire_format = "openai";
    provider.base_url = "https://p.example";
    provider.timeouts.first_byte = seconds(30);
    for (const char *name : {"streamed", "whole"}) {
      AgentType &type = store_.catalog_->agent_types[name];
      type.name = name;
      type.stream = type.name == "streamed";
      type.routes = {{.position = 1, .provider = "p", .model = "m"}};
    }
    step_after(milliseconds(10));
  }

  void start(const char *agent_type) {
    ClaimedJob job;
    job.id = JobId{++last_id_};
    job.agent_type = agent_type;
    job.request = R"({"text":"hi"})";
    job.max_retries = 3;
    store_.waiting.push_back(job);
    while (!store_.waiting.empty()) step_after(milliseconds(5));
    store_.rounds.clear();
  }
  Pause step_after(Micros wait) {
    now_.wall += wait;
    now_.steady += wait;
    return engine_.step(now_);
  }
  void come(std::size_t call, const std::string &events) {
    transport_.pieces.push_back({transport_.calls.at(call), events, now_.steady, now_.steady});
  }
  static std::string word(const std::string &text) {
    return R"(data: {"model":"m","choices":[{"index":0,"delta":{"content":")" + text + "\"}}]}\n\n";
  }
  static std::string last_words() {
    return "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
           "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
  }
  void end(std::size_t call, const std::string &body = {}) {
    CallEnd ended;
    ended.id = transport_.calls.at(call);
    ended.request_sent = true;
    ended.response.status = 200;
    ended.response.body = body;
    transport_.ends.push_back(std::move(ended));
  }

  Now now_{WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 21)), SteadyTime(seconds(3600))};
  std::int64_t last_id_ = 0;
  PartsStore store_;
  PiecesTransport transport_;
  NoSecrets secrets_;
  FakeSigner signer_;
  CountingLog log_;
  Engine engine_{store_, transport_, secrets_, signer_, log_, {.max_in_flight = 10, .claim_batch = 4}};
};

TEST_F(EngineStreamTest, AsksForAStreamOnlyWhereTheTypeSaysSo) {
  start("streamed");
  start("whole");
  EXPECT_TRUE(transport_.requests[0].stream);
  EXPECT_NE(transport_.requests[0].body.find("\"stream\":true"), std::string::npos);
  EXPECT_FALSE(transport_.requests[1].stream);
}

TEST_F(EngineStreamTest, WritesTextSoFarOnceAnIntervalAndSettlesTheWhole) {
  start("streamed");
  std::size_t most = 0;
  for (int i = 0; i < 100; ++i) {
    come(0, word("x"));
    step_after(milliseconds(20));
    most = std::max(most, store_.rounds.size());
  }
  EXPECT_GE(most, 4u);
  EXPECT_LE(most, 6u) << "two seconds at 500 ms, and one look of the poll interval";
  EXPECT_GE(store_.text.size(), 70u);
  come(0, last_words());
  end(0);
  step_after(milliseconds(5));
  const Settlement &settlement = store_.rounds.back().settlements.at(0);
  EXPECT_EQ(settlement.outcome, Outcome::completed);
  EXPECT_TRUE(settlement.has_parts);
  EXPECT_TRUE(settlement.usage->first_token.has_value());
  EXPECT_NE(settlement.result.find(std::string(100, 'x')), std::string::npos);
  EXPECT_TRUE(store_.rounds.back().parts.empty()) << "of none that is settled here";
}

TEST_F(EngineStreamTest, WakesForTheTextThatHasCome) {
  start("streamed");
  come(0, word("x"));
  const Pause pause = step_after(milliseconds(5));
  EXPECT_FALSE(pause.run_again);
  EXPECT_LE(pause.until, now_.steady + milliseconds(50));
  step_after(pause.until - now_.steady);
  EXPECT_EQ(store_.text, "x");
}

TEST_F(EngineStreamTest, LetsTextSoFarRideOnARoundThatIsMadeAnyway) {
  start("streamed");
  start("whole");
  come(0, word("x"));
  step_after(milliseconds(1));
  end(1, R"({"choices":[{"message":{"content":"hello"}}],"usage":{"prompt_tokens":1}})");
  step_after(milliseconds(40));
  ASSERT_EQ(store_.rounds.size(), 1u);
  EXPECT_EQ(store_.rounds[0].settlements.size(), 1u);
  EXPECT_EQ(store_.rounds[0].parts.size(), 1u);
}

TEST_F(EngineStreamTest, TriesARoundAgainAtOnceWithoutThePartsBeforeAnythingElse) {
  for (const StoreTrouble trouble : {StoreTrouble::busy, StoreTrouble::blocked, StoreTrouble::unstorable}) {
    start("streamed");
    start("whole");
    store_.trouble = trouble;
    store_.refuses = [](const Round &round) { return !round.parts.empty(); };
    come(transport_.calls.size() - 2, word("x"));
    step_after(milliseconds(1));
    end(transport_.calls.size() - 1, R"({"choices":[{"message":{"content":"hello"}}],"usage":{"prompt_tokens":1}})");
    EXPECT_TRUE(step_after(milliseconds(40)).run_again) << static_cast<int>(trouble);
    step_after(Micros(0));
    ASSERT_EQ(store_.rounds.size(), 2u);
    EXPECT_EQ(store_.rounds[0].parts.size(), 1u);
    EXPECT_TRUE(store_.rounds[1].parts.empty());
    EXPECT_EQ(store_.rounds[1].settlements.at(0).outcome, Outcome::completed);
    EXPECT_FALSE(engine_.has_unsettled());
    transport_.calls.clear();
    store_.refuses = nullptr;
    for (int i = 0; i < 100; ++i) step_after(seconds(1));
  }
}

TEST_F(EngineStreamTest, NeverAsksTheStoreInALoopThatRefusesText) {
  start("streamed");
  store_.refuses = [](const Round &round) { return !round.parts.empty(); };
  int spins = 0;
  for (int i = 0; i < 1000; ++i) {
    come(0, word("x"));
    if (step_after(milliseconds(10)).run_again) ++spins;
  }
  EXPECT_LE(store_.rounds.size(), 15u) << "ten seconds";
  EXPECT_LE(spins, 3);
  store_.refuses = nullptr;
  for (int i = 0; i < 10; ++i) step_after(seconds(10));
  EXPECT_EQ(store_.text, std::string(1000, 'x')) << "no hole";
}

TEST_F(EngineStreamTest, GivesUpATextThatCannotBeStoredAndSaysSoOnce) {
  start("streamed");
  store_.trouble = StoreTrouble::unstorable;
  store_.refuses = [](const Round &round) { return !round.parts.empty(); };
  for (int i = 0; i < 500; ++i) {
    come(0, word("x"));
    step_after(milliseconds(10));
  }
  EXPECT_LE(store_.rounds.size(), 6u);
  EXPECT_EQ(log_.lines, 1);
  come(0, last_words());
  end(0);
  step_after(milliseconds(5));
  step_after(milliseconds(5));
  EXPECT_FALSE(engine_.has_unsettled());
}

TEST_F(EngineStreamTest, EndsAStreamThatOnlyKeepsItselfAlive) {
  start("streamed");
  for (int i = 0; i < 31 && !transport_.calls.empty(); ++i) {
    come(0, ": keep-alive\n\n");
    step_after(seconds(1));
  }
  EXPECT_TRUE(transport_.calls.empty()) << "cancelled";
  step_after(milliseconds(2));
  EXPECT_EQ(store_.rounds.back().settlements.at(0).error_code, JobErrorCode::uncertain);
  EXPECT_EQ(engine_.in_flight(), 0);
}

TEST_F(EngineStreamTest, DoesNotWaitForAConnectionThatDoesNotEnd) {
  start("streamed");
  come(0, word("x") + last_words());
  const Pause pause = step_after(milliseconds(5));
  EXPECT_LE(pause.until, now_.steady + milliseconds(200));
  step_after(milliseconds(200));
  step_after(milliseconds(2));
  EXPECT_EQ(store_.rounds.back().settlements.at(0).outcome, Outcome::completed);
  EXPECT_TRUE(transport_.calls.empty()) << "cancelled";
}

}  // namespace
}  // namespace agent_queue
