#include "core/cache/clock_hand.hpp"

#include <gtest/gtest.h>

#include <set>

namespace agent_queue {
namespace {

constexpr CacheRoom kBounds{10, 1'000'000};

// Entries by number, walked in order; `used` loses a mark whenever the hand asks for it.
struct Cache {
  std::set<int> entries;
  std::set<int> used;
  std::set<int> dead;
  std::int64_t bytes = 100;

  void pass(ClockHand &hand, const CacheRoom &bounds) {
    hand.begin_pass(bounds);
    for (auto it = entries.begin(); it != entries.end();) {
      const bool was_used = hand.is_pressed() && used.erase(*it) > 0;
      it = hand.passes(bytes, dead.contains(*it), was_used) ? entries.erase(it) : std::next(it);
    }
  }
};

Cache cache_of(int count) {
  Cache cache;
  for (int i = 0; i < count; ++i) cache.entries.insert(i);
  return cache;
}

TEST(ClockHand, WithinTheBoundsOnlyTheDeadGo) {
  ClockHand hand;
  Cache cache = cache_of(10);
  cache.dead = {3, 4};
  cache.pass(hand, kBounds);
  cache.pass(hand, kBounds);
  EXPECT_EQ(cache.entries.size(), 8U);
  EXPECT_FALSE(hand.is_over(kBounds));
  EXPECT_EQ(hand.counted().bytes, 800);
}

TEST(ClockHand, WhatIsTooMuchGoesInTheNextPassAndNotMore) {
  ClockHand hand;
  Cache cache = cache_of(25);
  cache.pass(hand, kBounds);
  EXPECT_EQ(cache.entries.size(), 25U);
  EXPECT_TRUE(hand.is_over(kBounds));
  cache.pass(hand, kBounds);
  EXPECT_EQ(cache.entries.size(), 10U);
  EXPECT_FALSE(hand.is_over(kBounds));
}

TEST(ClockHand, WhatWasUsedIsSparedOnce) {
  ClockHand hand;
  Cache cache = cache_of(20);
  cache.used = {0, 1, 2};
  cache.pass(hand, kBounds);
  cache.pass(hand, kBounds);
  EXPECT_EQ(cache.entries.size(), 10U);
  EXPECT_TRUE(cache.entries.contains(0) && cache.entries.contains(1) && cache.entries.contains(2));
  EXPECT_TRUE(cache.used.empty());
  for (int i = 100; i < 110; ++i) cache.entries.insert(i);
  cache.pass(hand, kBounds);
  cache.pass(hand, kBounds);
  EXPECT_FALSE(cache.entries.contains(0));  // not used since
}

TEST(ClockHand, WhereAllWasUsedTheSecondPassTakesThem) {
  ClockHand hand;
  Cache cache = cache_of(20);
  cache.used = cache.entries;
  cache.pass(hand, kBounds);
  cache.pass(hand, kBounds);
  EXPECT_EQ(cache.entries.size(), 20U);
  EXPECT_TRUE(hand.is_over(kBounds));
  cache.pass(hand, kBounds);
  EXPECT_EQ(cache.entries.size(), 10U);
}

TEST(ClockHand, BytesCountAsEntriesDo) {
  ClockHand hand;
  Cache cache = cache_of(8);
  const CacheRoom bounds{1000, 350};
  cache.pass(hand, bounds);
  cache.pass(hand, bounds);
  EXPECT_EQ(cache.entries.size(), 3U);
}

TEST(ClockHand, WithoutPressureMarksStand) {
  ClockHand hand;
  Cache cache = cache_of(5);
  cache.used = {1};
  cache.pass(hand, kBounds);
  cache.pass(hand, kBounds);
  EXPECT_TRUE(cache.used.contains(1));
}

}  // namespace
}  // namespace agent_queue
