// Goal: what one step does, and when the next one has to come. Method: fakes that record what the engine asks for and
// answer what the test has put in; time is a number.
#include "engine/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>

#include "support/fake_signer.hpp"

namespace agent_queue {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class ScriptedStore : public JobStore {
 public:
  struct Seen {
    std::vector<Settlement> settlements;
    int claim_limit = 0;
  };

  RoundResult round(const Round &round, Now) override {
    rounds.push_back({{round.settlements.begin(), round.settlements.end()}, round.claim_limit});
    if (answer) return answer(round);
    RoundResult result;
    result.report.fates.assign(round.settlements.size(), SettleFate::settled);
    while (static_cast<int>(result.report.claimed.size()) < round.claim_limit && !waiting.empty()) {
      result.report.claimed.push_back(waiting.front());
      waiting.pop_front();
    }
    result.report.more_waiting = !waiting.empty();
    if (round.claim_limit > 0 && !is_hint_stuck) is_hinted = false;
    return result;
  }
  std::optional<std::vector<ClaimedJob>> rescue(Now) override {
    ++rescues;
    if (is_rescue_busy) return std::nullopt;
    is_death_hinted = is_death_stuck;
    return std::exchange(lost, {});
  }
  std::optional<int> promote_due(Now) override {
    ++promotions;
    return std::exchange(due_count, 0);
  }
  std::optional<WallTime> next_due() const override { return due; }
  bool work_hinted() override { return is_hinted; }
  bool rescue_hinted() override { return is_death_hinted; }
  bool cancel_hinted() override { return !cancelled.empty(); }
  std::vector<std::size_t> take_cancelled(std::span<const AttemptId> calls, Now) override {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < calls.size(); ++i)
      if (std::find(cancelled.begin(), cancelled.end(), calls[i]) != cancelled.end()) places.push_back(i);
    cancelled.clear();
    return places;
  }
  std::shared_ptr<const Catalog> catalog() override { return catalog_; }

  void wait_for(int count, const char *agent_type) {
    for (int i = 0; i < count; ++i) {
      ClaimedJob job;
      job.id = JobId{++last_id};
      job.agent_type = agent_type;
      job.request = R"({"text":"hi"})";
      job.max_retries = 3;
      waiting.push_back(job);
    }
    is_hinted = true;
  }

  std::vector<Seen> rounds;
  std::function<RoundResult(const Round &)> answer;  // empty: all goes well
  std::deque<ClaimedJob> waiting;
  std::vector<ClaimedJob> lost;
  std::vector<AttemptId> cancelled;
  std::optional<WallTime> due;
  bool is_hinted = false, is_hint_stuck = false, is_death_hinted = false, is_death_stuck = false;
  bool is_rescue_busy = false;
  int rescues = 0, promotions = 0, due_count = 0;
  std::int64_t last_id = 0;
  std::shared_ptr<Catalog> catalog_ = std::make_shared<Catalog>();
};

class ManualTransport : public Transport {
 public:
  void submit(CallId id, HttpRequest) override { open.push_back(id); }
  void cancel(CallId id) override {
    std::erase(open, id);
    CallEnd end;
    end.id = id;
    end.error = TransportError::cancelled;
    end.request_sent = is_sent;
    ready.push_back(end);
  }
  void forget(CallId id) override { std::erase(open, id); }
  void poll(std::vector<CallEnd> &ended) override {
    for (CallEnd &end : ready) ended.push_back(std::move(end));
    ready.clear();
  }
  void take_progress(std::vector<CallProgress> &) override {}
  int in_flight() const override { return static_cast<int>(open.size()); }

  void finish(int count) {
    for (; count > 0; --count) {
      CallEnd end;
      end.id = open.front();
      end.request_sent = true;
      end.response.status = 200;
      end.response.body = R"({"choices":[{"message":{"content":"hello"}}],"usage":{"prompt_tokens":1}})";
      ready.push_back(end);
      open.pop_front();
    }
  }

  std::deque<CallId> open;
  bool is_sent = true;
  std::vector<CallEnd> ready;
};

class NoSecrets : public Secrets {
 public:
  Result<std::string> resolve(std::string_view) override { return std::string(); }
  void forget() override {}
};

class SilentLog : public Log {
 public:
  void write(LogLevel, std::string_view) noexcept override {}
};

RoundResult failure(StoreTrouble trouble) {
  RoundResult result;
  result.failure = StoreFailure{trouble, "it would not"};
  return result;
}

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    add_provider("net", "openai");
    add_provider("echo", "echo");
    for (const char *name : {"net", "echo"}) {
      AgentType type;
      type.name = name;
      type.routes = {{.position = 1, .provider = name, .model = "m"}};
      store_.catalog_->agent_types[name] = type;
    }
  }

  void add_provider(const char *name, const char *wire_format) {
    Provider &provider = store_.catalog_->providers[name];
    provider.name = name;
    provider.wire_format = wire_format;
    provider.base_url = "https://p.example";
  }
  Pause step_after(Micros wait) {
    now_.wall += wait;
    now_.steady += wait;
    return engine_.step(now_);
  }
  // Past the first rescue, promotion and sweep.
  void settle_in() {
    for (int i = 0; i < 3; ++i) step_after(milliseconds(10));
    store_.rounds.clear();
  }
  // That many calls in flight, and nothing else to do.
  void fly(int count) {
    store_.wait_for(count, "net");
    while (static_cast<int>(transport_.open.size()) < count) step_after(milliseconds(10));
    step_after(milliseconds(10));
    store_.rounds.clear();
  }

  EngineOptions options_{.max_in_flight = 10, .claim_batch = 4};
  Now now_{WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20)), SteadyTime(hours(1))};
  ScriptedStore store_;
  ManualTransport transport_;
  NoSecrets secrets_;
  FakeSigner signer_;
  SilentLog log_;
  Engine engine_{store_, transport_, secrets_, signer_, log_, options_};
};

TEST_F(EngineTest, BreaksOffACallWhoseJobWasCancelledAndSettlesWhatWasSent) {
  settle_in();
  fly(2);
  store_.cancelled = {{JobId{1}, WallTime{}}};
  step_after(milliseconds(1));
  EXPECT_EQ(transport_.open.size(), 1u);
  EXPECT_EQ(engine_.in_flight(), 1);
  step_after(milliseconds(10));
  ASSERT_EQ(store_.rounds.size(), 1u);
  ASSERT_EQ(store_.rounds[0].settlements.size(), 1u);
  const Settlement &settlement = store_.rounds[0].settlements[0];
  EXPECT_EQ(settlement.id, JobId{1});
  EXPECT_EQ(settlement.error_code, JobErrorCode::cancelled);
  ASSERT_TRUE(settlement.usage);
  EXPECT_TRUE(settlement.usage->estimated);
}

TEST_F(EngineTest, BooksNothingForACancelledCallThatWasNotSent) {
  settle_in();
  fly(1);
  transport_.is_sent = false;
  store_.cancelled = {{JobId{1}, WallTime{}}};
  step_after(milliseconds(1));
  EXPECT_EQ(engine_.in_flight(), 0);
  step_after(milliseconds(10));
  ASSERT_EQ(store_.rounds.size(), 1u);
  ASSERT_EQ(store_.rounds[0].settlements.size(), 1u);
  EXPECT_FALSE(store_.rounds[0].settlements[0].usage);
}

TEST_F(EngineTest, LeavesALaterAttemptOfACancelledJobAlone) {
  settle_in();
  fly(1);
  store_.cancelled = {{JobId{1}, WallTime{} - seconds(1)}};
  step_after(milliseconds(1));
  EXPECT_EQ(engine_.in_flight(), 1);
}

TEST_F(EngineTest, RunsAgainAtOnceForACancelThatCameDuringTheStep) {
  settle_in();
  fly(1);
  store_.wait_for(1, "net");
  store_.answer = [this](const Round &round) {
    store_.cancelled = {{JobId{1}, WallTime{}}};
    RoundResult result;
    result.report.fates.assign(round.settlements.size(), SettleFate::settled);
    return result;
  };
  EXPECT_TRUE(step_after(milliseconds(10)).run_again);
}

TEST_F(EngineTest, LooksAfterTheDeadBeforeItClaims) {
  store_.is_rescue_busy = true;
  step_after(Micros(0));
  EXPECT_EQ(store_.rescues, 1);
  store_.is_rescue_busy = false;
  store_.wait_for(1, "net");
  store_.lost = {store_.waiting.front()};
  store_.waiting.clear();
  step_after(milliseconds(20));
  EXPECT_EQ(store_.rescues, 2);
  ASSERT_FALSE(store_.rounds.empty());
  ASSERT_FALSE(store_.rounds.back().settlements.empty());
  EXPECT_EQ(store_.rounds.back().settlements[0].id, JobId{1});
  EXPECT_EQ(store_.rounds.back().settlements[0].outcome, Outcome::retry);
  EXPECT_EQ(engine_.counters().rescued, 1u);
}

TEST_F(EngineTest, RescuesAgainWhileBatchesComeFull) {
  settle_in();
  store_.lost.assign(kRescueBatch, ClaimedJob{});
  store_.is_death_hinted = true;
  const int before = store_.rescues;
  EXPECT_TRUE(step_after(milliseconds(10)).run_again);
  step_after(microseconds(10));
  EXPECT_EQ(store_.rescues, before + 2);
}

TEST_F(EngineTest, ClaimsAndSettlesThoughTheRescueHasToWait) {
  store_.is_rescue_busy = true;
  store_.wait_for(1, "net");
  for (int i = 0; i < 3; ++i) step_after(milliseconds(1));
  EXPECT_EQ(transport_.open.size(), 1u);
  transport_.finish(1);
  for (int i = 0; i < 3; ++i) step_after(milliseconds(1));
  EXPECT_EQ(engine_.counters().settled, 1u);
}

TEST_F(EngineTest, DoesNotRescueInALoopWhatOthersHaveLocked) {
  store_.is_death_hinted = store_.is_death_stuck = true;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(step_after(microseconds(100)).run_again && i > 10);
  EXPECT_LE(store_.rescues, 3);
}

TEST_F(EngineTest, ClaimsNoMoreThanABatchAndRunsAgain) {
  settle_in();
  store_.wait_for(20, "net");
  const Pause pause = step_after(milliseconds(10));
  EXPECT_EQ(transport_.open.size(), 4u);
  EXPECT_TRUE(pause.run_again);
}

TEST_F(EngineTest, NeverHasMoreCallsThanItMay) {
  settle_in();
  store_.wait_for(50, "net");
  for (int i = 0; i < 20; ++i) {
    step_after(milliseconds(5));
    EXPECT_LE(transport_.open.size(), 10u);
  }
  EXPECT_EQ(transport_.open.size(), 10u);
}

TEST_F(EngineTest, UsesFreeRoomThoughMoreThanHalfIsTakenAndNothingEnds) {
  settle_in();
  fly(6);
  store_.wait_for(1, "net");
  step_after(milliseconds(10));
  EXPECT_EQ(transport_.open.size(), 7u);
  store_.wait_for(1, "net");
  const Pause pause = step_after(microseconds(1));
  EXPECT_EQ(transport_.open.size(), 7u) << "a settle may come that the claim can ride on";
  EXPECT_LE(pause.until, now_.steady + milliseconds(2));
  step_after(milliseconds(2));
  EXPECT_EQ(transport_.open.size(), 8u);
}

TEST_F(EngineTest, LetsAClaimRideOnASettle) {
  settle_in();
  fly(6);
  store_.wait_for(3, "net");
  transport_.finish(2);
  step_after(milliseconds(1));
  step_after(milliseconds(1));
  ASSERT_EQ(store_.rounds.size(), 1u);
  EXPECT_EQ(store_.rounds[0].settlements.size(), 2u);
  EXPECT_GT(store_.rounds[0].claim_limit, 0);
}

TEST_F(EngineTest, LetsEndedCallsWaitAMillisecondForCompany) {
  settle_in();
  fly(3);
  transport_.finish(1);
  const Pause pause = step_after(microseconds(100));
  EXPECT_TRUE(store_.rounds.empty());
  EXPECT_LE(pause.until, now_.steady + milliseconds(1));
  transport_.finish(1);
  step_after(milliseconds(1));
  ASSERT_EQ(store_.rounds.size(), 1u);
  EXPECT_EQ(store_.rounds[0].settlements.size(), 2u);
}

TEST_F(EngineTest, SettlesTheLastCallAtOnce) {
  settle_in();
  fly(1);
  transport_.finish(1);
  step_after(microseconds(100));
  ASSERT_EQ(store_.rounds.size(), 1u);
  EXPECT_EQ(store_.rounds[0].settlements[0].outcome, Outcome::completed);
}

TEST_F(EngineTest, AnswersLocalFormatsWithoutTheTransport) {
  settle_in();
  store_.wait_for(1, "echo");
  EXPECT_TRUE(step_after(milliseconds(10)).run_again);
  step_after(Micros(0));
  EXPECT_TRUE(transport_.open.empty());
  EXPECT_EQ(store_.rounds.back().settlements[0].outcome, Outcome::completed);
}

TEST_F(EngineTest, ClaimsNothingWhilePausedButSettles) {
  settle_in();
  fly(1);
  options_.is_claiming = false;
  engine_.set_options(options_);
  store_.wait_for(5, "net");
  transport_.finish(1);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(step_after(milliseconds(5)).run_again);
  ASSERT_EQ(store_.rounds.size(), 1u);
  EXPECT_EQ(store_.rounds[0].claim_limit, 0);
}

TEST_F(EngineTest, LooksWithoutAHintEachPollInterval) {
  settle_in();
  step_after(seconds(2));
  ASSERT_EQ(store_.rounds.size(), 1u);
  const Pause pause = step_after(milliseconds(1500));
  EXPECT_EQ(store_.rounds.size(), 1u);
  EXPECT_LE(pause.until, now_.steady + milliseconds(500));
}

TEST_F(EngineTest, DoesNotSpinOnAHintThatFindsNothing) {
  settle_in();
  store_.is_hinted = store_.is_hint_stuck = true;
  for (int i = 0; i < 100; ++i) step_after(microseconds(100));
  EXPECT_LE(store_.rounds.size(), 6u);
  EXPECT_FALSE(step_after(microseconds(100)).run_again);
}

TEST_F(EngineTest, WakesForTheNextScheduledJob) {
  settle_in();
  store_.due = now_.wall + milliseconds(300);
  const Pause pause = step_after(Micros(0));
  EXPECT_EQ(pause.until, now_.steady + milliseconds(300));
  store_.due_count = 1;
  const int before = store_.promotions;
  store_.wait_for(1, "net");
  store_.is_hinted = false;
  step_after(milliseconds(300));
  EXPECT_EQ(store_.promotions, before + 1);
  EXPECT_EQ(transport_.open.size(), 1u) << "what became pending is claimed in the same step";
}

TEST_F(EngineTest, DoesNotSpinOnADueJobThatOthersHaveLocked) {
  settle_in();
  store_.due = now_.wall;
  const int before = store_.promotions;
  for (int i = 0; i < 100; ++i) step_after(microseconds(100));
  EXPECT_LE(store_.promotions, before + 3);
  EXPECT_FALSE(step_after(microseconds(100)).run_again);
}

TEST_F(EngineTest, GivesTheSameSettlementsAgainAfterABusyStoreBacksOff) {
  settle_in();
  fly(1);
  transport_.finish(1);
  store_.answer = [](const Round &) { return failure(StoreTrouble::busy); };
  const Pause pause = step_after(milliseconds(5));
  EXPECT_FALSE(pause.run_again);
  EXPECT_GE(pause.until, now_.steady + milliseconds(5));
  step_after(milliseconds(1));
  ASSERT_EQ(store_.rounds.size(), 1u) << "no transaction before the back-off is over";
  store_.answer = nullptr;
  step_after(milliseconds(20));
  ASSERT_EQ(store_.rounds.size(), 2u);
  EXPECT_EQ(store_.rounds[1].settlements[0].id, store_.rounds[0].settlements[0].id);
  EXPECT_FALSE(engine_.has_unsettled());
}

TEST_F(EngineTest, SettlesTheOthersThoughOneRowIsBlocked) {
  settle_in();
  fly(4);
  bool is_blocked = true;
  store_.answer = [&](const Round &round) {
    for (const Settlement &settlement : round.settlements)
      if (is_blocked && settlement.id == JobId{2}) return failure(StoreTrouble::blocked);
    RoundResult result;
    result.report.fates.assign(round.settlements.size(), SettleFate::settled);
    return result;
  };
  const std::uint64_t before = engine_.counters().settled;
  transport_.finish(4);
  for (int i = 0; i < 20; ++i) step_after(milliseconds(500));
  EXPECT_EQ(engine_.counters().settled, before + 3);
  is_blocked = false;
  for (int i = 0; i < 5; ++i) step_after(seconds(1));
  EXPECT_EQ(engine_.counters().settled, before + 4);
}

TEST_F(EngineTest, KeepsAnAnswerWhenItIsTheClaimThatCannotBeStored) {
  settle_in();
  fly(1);
  transport_.finish(1);
  store_.wait_for(1, "net");
  store_.answer = [](const Round &round) {
    if (round.claim_limit > 0) return failure(StoreTrouble::unstorable);
    RoundResult result;
    result.report.fates.assign(round.settlements.size(), SettleFate::settled);
    return result;
  };
  for (int i = 0; i < 3; ++i) step_after(milliseconds(5));
  EXPECT_FALSE(engine_.has_unsettled());
  for (const auto &round : store_.rounds)
    for (const Settlement &settlement : round.settlements) EXPECT_EQ(settlement.outcome, Outcome::completed);
}

TEST_F(EngineTest, ClaimsFewerAndFewerWhileTheClaimCannotBeStored) {
  settle_in();
  store_.wait_for(4, "net");
  std::vector<int> limits;
  store_.answer = [&](const Round &round) {
    limits.push_back(round.claim_limit);
    return failure(StoreTrouble::unstorable);
  };
  for (int i = 0; i < 6; ++i) step_after(seconds(2));
  ASSERT_GE(limits.size(), 3u);
  EXPECT_EQ(limits.front(), 4);
  EXPECT_EQ(limits.back(), 1) << "the one row that is in the way stands alone";
  store_.answer = nullptr;
  for (int i = 0; i < 6; ++i) step_after(seconds(2));
  EXPECT_EQ(transport_.open.size(), 4u) << "and the others are claimed again";
}

TEST_F(EngineTest, SaysThatTheStoreIsGoneAndTouchesItNoMore) {
  settle_in();
  store_.wait_for(1, "net");
  store_.answer = [](const Round &) { return failure(StoreTrouble::gone); };
  EXPECT_FALSE(step_after(milliseconds(10)).run_again);
  EXPECT_TRUE(engine_.is_store_gone());
  step_after(seconds(10));
  EXPECT_EQ(store_.rounds.size(), 1u);
}

TEST_F(EngineTest, SettlesAJobThatCannotBeCalled) {
  settle_in();
  store_.wait_for(1, "no such type");
  step_after(milliseconds(10));
  step_after(milliseconds(1));
  ASSERT_FALSE(store_.rounds.back().settlements.empty());
  EXPECT_EQ(store_.rounds.back().settlements[0].error_code, JobErrorCode::configuration);
}

TEST_F(EngineTest, IgnoresTheEndOfACallItDoesNotKnow) {
  settle_in();
  CallEnd stranger;
  stranger.id = CallId{999};
  transport_.ready.push_back(stranger);
  step_after(milliseconds(10));
  EXPECT_FALSE(engine_.has_unsettled());
}

}  // namespace
}  // namespace agent_queue
