#include "core/limit/sliding_window.hpp"

#include <algorithm>
#include <iterator>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace agent_queue {
namespace {

using std::chrono::seconds;

constexpr RateLimit limit_of(int max_requests, seconds window = seconds(60)) {
  return {max_requests, window};
}

// A window with memory of its own.
class OwnedWindow {
 public:
  OwnedWindow(const RateLimit &limit, Micros now, int cells = 0) : cells_(std::max(cells, window_cells(limit)), -1) {
    view().set_limit(limit, now);
  }
  SlidingWindow view() { return SlidingWindow(head_, cells_.data(), static_cast<int>(cells_.size())); }

  bool ask(int requests, Micros now) {
    if (view().wait_for(requests, now) != Micros{0}) return false;
    last_ = view().accept(requests, now);
    return true;
  }
  Micros last() const { return last_; }

 private:
  WindowHead head_{};
  std::vector<std::int64_t> cells_;
  Micros last_{};
};

// Every accepted time, looked through from its beginning.
class Oracle {
 public:
  void accept(int requests, Micros now) { times_.insert(times_.end(), static_cast<std::size_t>(requests), now); }
  void give_back(int requests, Micros at) {
    for (; requests > 0; --requests) {
      const auto found = std::find(times_.rbegin(), times_.rend(), at);
      if (found == times_.rend()) return;
      times_.erase(std::next(found).base());
    }
  }
  int used(Micros window, Micros now) const {
    return static_cast<int>(std::count_if(times_.begin(), times_.end(), [&](Micros at) { return now - at < window; }));
  }

 private:
  std::vector<Micros> times_;
};

constexpr Micros kStart{1'000'000'000'000};

TEST(SlidingWindow, AcceptsAsManyAsTheLimitAndNoMoreUntilTheFirstHasLeft) {
  OwnedWindow window(limit_of(3), kStart);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(window.ask(1, kStart + seconds(i)));
  EXPECT_FALSE(window.ask(1, kStart + seconds(59)));
  EXPECT_EQ(window.view().wait_for(1, kStart + seconds(59)), Micros(seconds(1)));
  EXPECT_EQ(window.view().wait_for(3, kStart + seconds(59)), Micros(seconds(3)));
  EXPECT_FALSE(window.ask(1, kStart + seconds(60) - Micros(1)));
  EXPECT_TRUE(window.ask(1, kStart + seconds(60)));
  EXPECT_FALSE(window.ask(1, kStart + seconds(60)));
}

TEST(SlidingWindow, TakesANumberOfRequestsWholeOrNotAtAll) {
  OwnedWindow window(limit_of(10), kStart);
  EXPECT_TRUE(window.ask(7, kStart));
  EXPECT_FALSE(window.ask(4, kStart));
  EXPECT_EQ(window.view().used(kStart), 7);
  EXPECT_TRUE(window.ask(3, kStart));
}

TEST(SlidingWindow, SaysNeverToMoreThanTheLimit) {
  EXPECT_EQ(OwnedWindow(limit_of(10), kStart).view().wait_for(11, kStart), std::nullopt);
  EXPECT_EQ(OwnedWindow(limit_of(0), kStart).view().wait_for(1, kStart), std::nullopt);
  EXPECT_EQ(OwnedWindow(limit_of(5000), kStart).view().wait_for(5001, kStart), std::nullopt);
}

TEST(SlidingWindow, CountsRequestsOfOneInstantOneByOne) {
  OwnedWindow window(limit_of(5), kStart);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(window.ask(1, kStart));
  EXPECT_FALSE(window.ask(1, kStart));
  window.view().give_back(2, kStart);
  EXPECT_EQ(window.view().used(kStart), 3);
  EXPECT_TRUE(window.ask(2, kStart));
}

TEST(SlidingWindow, TakesAClockThatGoesBackForOneThatStands) {
  for (const int max_requests : {5, 5000}) {
    OwnedWindow window(limit_of(max_requests), kStart);
    EXPECT_TRUE(window.ask(max_requests, kStart));
    EXPECT_FALSE(window.ask(1, kStart - seconds(300)));
    EXPECT_EQ(window.view().used(kStart - seconds(300)), max_requests);
  }
}

TEST(SlidingWindow, GivesBackInTheMiddleAndKeepsTheOthersInOrder) {
  OwnedWindow window(limit_of(3), kStart);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(window.ask(1, kStart + seconds(i)));
  window.view().give_back(1, kStart + seconds(1));
  window.view().give_back(1, kStart + seconds(7));  // nobody's
  EXPECT_TRUE(window.ask(1, kStart + seconds(10)));
  EXPECT_EQ(window.view().wait_for(2, kStart + seconds(59)), Micros(seconds(3)));
}

TEST(SlidingWindow, IsIdleWhenItsNewestRequestHasLeft) {
  OwnedWindow window(limit_of(3), kStart);
  EXPECT_EQ(window.view().idle_at(), Micros{0});
  EXPECT_TRUE(window.ask(1, kStart));
  EXPECT_TRUE(window.ask(1, kStart + seconds(5)));
  EXPECT_EQ(window.view().idle_at(), kStart + seconds(65));
  OwnedWindow sliced(limit_of(3000), kStart);
  EXPECT_TRUE(sliced.ask(1, kStart));
  const Micros idle = sliced.view().idle_at();
  EXPECT_EQ(sliced.view().used(idle - Micros(1)), 1);
  EXPECT_EQ(sliced.view().used(idle), 0);
}

TEST(SlidingWindow, ALoweredLimitHoldsAtOnce) {
  OwnedWindow window(limit_of(10), kStart);
  EXPECT_TRUE(window.ask(8, kStart));
  EXPECT_TRUE(window.ask(1, kStart + seconds(1)));
  window.view().set_limit(limit_of(2), kStart + seconds(2));
  EXPECT_EQ(window.view().used(kStart + seconds(2)), 9);
  EXPECT_EQ(window.view().wait_for(1, kStart + seconds(2)), Micros(seconds(58)));
  EXPECT_TRUE(window.ask(1, kStart + seconds(60)));
  EXPECT_FALSE(window.ask(1, kStart + seconds(60)));
}

TEST(SlidingWindow, ALongerWindowRemembersWhatTheShorterOneHasAccepted) {
  OwnedWindow window(limit_of(4, seconds(1)), kStart);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(window.ask(1, kStart + seconds(10 * i)));
  window.view().set_limit(limit_of(4, seconds(60)), kStart + seconds(40));
  EXPECT_EQ(window.view().wait_for(1, kStart + seconds(40)), Micros(seconds(20)));
}

TEST(SlidingWindow, CountsOnWhenTheLimitCrossesFromExactToSlicedAndBack) {
  OwnedWindow window(limit_of(1000), kStart, 1024);
  EXPECT_TRUE(window.ask(600, kStart));
  window.view().set_limit(limit_of(2000), kStart + seconds(1));
  EXPECT_EQ(window.view().used(kStart + seconds(1)), 600);
  EXPECT_TRUE(window.ask(1400, kStart + seconds(1)));
  EXPECT_FALSE(window.ask(1, kStart + seconds(59)));
  window.view().set_limit(limit_of(1000), kStart + seconds(2));
  EXPECT_GE(window.view().used(kStart + seconds(2)), 1000);
  EXPECT_FALSE(window.ask(1, kStart + seconds(59)));
  EXPECT_TRUE(window.ask(1000, kStart + seconds(63)));
}

TEST(SlidingWindow, MovesToLargerMemoryWithAllItKnows) {
  OwnedWindow small(limit_of(10), kStart);
  EXPECT_TRUE(small.ask(4, kStart));
  EXPECT_TRUE(small.ask(5, kStart + seconds(1)));
  OwnedWindow large(limit_of(100), kStart + seconds(2));
  large.view().take_over(small.view(), kStart + seconds(2));
  EXPECT_EQ(large.view().used(kStart + seconds(2)), 9);
  EXPECT_EQ(large.view().used(kStart + seconds(60)), 5);
  large.view().give_back(4, kStart);
  EXPECT_EQ(large.view().used(kStart + seconds(2)), 5);
}

// ---- against the oracle, by seed

struct Arrivals {
  explicit Arrivals(unsigned seed) : random(seed) {}
  int below(int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); }
  Micros gap(Micros window, int max_requests) {
    if (below(4) == 0) return Micros{0};
    if (below(50) == 0) return window;
    return Micros{below(static_cast<int>(3 * window.count() / (max_requests + 1)) + 1)};
  }
  std::mt19937 random;
};

TEST(SlidingWindow, UpTo1024AcceptsExactlyWhenTheOracleDoes) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    Arrivals arrivals(seed);
    const RateLimit limit = limit_of(1 + arrivals.below(seed % 2 == 0 ? 12 : 1024), seconds(1 + arrivals.below(5)));
    OwnedWindow window(limit, kStart);
    Oracle oracle;
    Micros now = kStart;
    for (int step = 0; step < 600; ++step) {
      now += arrivals.gap(limit.window, limit.max_requests);
      const int requests = 1 + arrivals.below(std::min(limit.max_requests, 40));
      const bool fits = oracle.used(limit.window, now) + requests <= limit.max_requests;
      ASSERT_EQ(window.ask(requests, now), fits) << "seed " << seed << ", step " << step;
      if (fits) oracle.accept(requests, now);
      if (fits && arrivals.below(8) == 0) {
        const int returned = 1 + arrivals.below(requests);
        window.view().give_back(returned, window.last());
        oracle.give_back(returned, now);
      }
      ASSERT_EQ(window.view().used(now), oracle.used(limit.window, now)) << "seed " << seed << ", step " << step;
    }
  }
}

TEST(SlidingWindow, WhatItSaysToWaitIsEnoughAndOneInstantLessIsNot) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    Arrivals arrivals(seed);
    const RateLimit limit = limit_of(1 + arrivals.below(seed % 2 == 0 ? 50 : 4000), seconds(1 + arrivals.below(5)));
    OwnedWindow window(limit, kStart);
    Micros now = kStart;
    for (int step = 0; step < 300; ++step) {
      now += arrivals.gap(limit.window, limit.max_requests);
      const int requests = 1 + arrivals.below(limit.max_requests);
      const Micros wait = window.view().wait_for(requests, now).value();
      if (wait > Micros{0}) {
        ASSERT_GT(window.view().wait_for(requests, now + wait - Micros(1)).value(), Micros{0});
      }
      ASSERT_EQ(window.view().wait_for(requests, now + wait), Micros{0}) << "seed " << seed << ", step " << step;
      ASSERT_LE(wait, limit.window + limit.window / 62);
      if (wait == Micros{0}) window.ask(requests, now);
    }
  }
}

TEST(SlidingWindow, Above1024NeverAcceptsMoreAndIsLateByASliceAtMost) {
  for (unsigned seed = 1; seed <= 24; ++seed) {
    Arrivals arrivals(seed);
    const RateLimit limit = limit_of(1025 + arrivals.below(4000), seconds(1 + arrivals.below(5)));
    const Micros late = limit.window + limit.window / 31 + Micros(64);
    OwnedWindow window(limit, kStart);
    Oracle oracle;
    Micros now = kStart;
    for (int step = 0; step < 400; ++step) {
      now += arrivals.gap(limit.window, 20);
      const int requests = 1 + arrivals.below(300);
      const bool is_accepted = window.ask(requests, now);
      if (is_accepted) oracle.accept(requests, now);
      ASSERT_LE(oracle.used(limit.window, now), limit.max_requests) << "seed " << seed << ", step " << step;
      if (!is_accepted) {
        ASSERT_GT(oracle.used(late, now) + requests, limit.max_requests);
      }
      if (is_accepted && arrivals.below(8) == 0) {
        window.view().give_back(requests, window.last());
        oracle.give_back(requests, now);
      }
    }
  }
}

// Lowered and raised at any time, over the line between exact and sliced; as long as it is exact, made shorter and
// longer too: a sliced window that was made shorter has forgotten what no longer counted.
TEST(SlidingWindow, ALimitThatChangesInUseIsNeverExceeded) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    Arrivals arrivals(seed);
    const int requests_max = seed % 2 == 0 ? kExactRequestsMax : 3000;
    RateLimit limit = limit_of(1 + arrivals.below(requests_max), seconds(2 + arrivals.below(5)));
    OwnedWindow window(limit, kStart, kExactRequestsMax);
    Oracle oracle;
    Micros now = kStart;
    for (int step = 0; step < 300; ++step) {
      now += arrivals.gap(limit.window, 10);
      if (arrivals.below(10) == 0) {
        limit.max_requests = 1 + arrivals.below(arrivals.below(2) == 0 ? 20 : requests_max);
        if (requests_max <= kExactRequestsMax) limit.window = seconds(2 + arrivals.below(5));
        window.view().set_limit(limit, now);
      }
      const int requests = 1 + arrivals.below(std::min(limit.max_requests, 200));
      if (!window.ask(requests, now)) continue;
      oracle.accept(requests, now);
      ASSERT_LE(oracle.used(limit.window, now), limit.max_requests) << "seed " << seed << ", step " << step;
      if (arrivals.below(8) == 0) {
        window.view().give_back(requests, window.last());
        oracle.give_back(requests, now);
      }
    }
  }
}

}  // namespace
}  // namespace agent_queue
