// The back-off schedule: its shape, its bounds, and that it is the same each time it is asked.
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "core/retry/retry_policy.hpp"

namespace agent_queue {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(Backoff, DoublesWithEachFailureAndIsLengthenedByAQuarterAtMost) {
  Micros scheduled = seconds(2);
  for (int failures = 1; failures <= 10; ++failures, scheduled *= 2) {
    for (std::int64_t id = 0; id < 200; ++id) {
      const Micros wait = backoff(seconds(2), failures, JobId{id});
      ASSERT_GE(wait, scheduled);
      ASSERT_LE(wait, scheduled + scheduled / 4);
    }
  }
}

TEST(Backoff, IsTheSameForTheSameJobAndFailure) {
  EXPECT_EQ(backoff(seconds(2), 3, JobId{42}), backoff(seconds(2), 3, JobId{42}));
}

TEST(Backoff, SpreadsJobsThatFailedTogether) {
  std::set<Micros> waits;
  for (std::int64_t id = 0; id < 1000; ++id) waits.insert(backoff(seconds(2), 1, JobId{id}));
  EXPECT_GT(waits.size(), 900U);
}

TEST(Backoff, NeverPassesAnHour) {
  EXPECT_EQ(backoff(seconds(2), 100, JobId{1}), kBackoffMax);
  EXPECT_EQ(backoff(seconds(2), std::numeric_limits<int>::max(), JobId{1}), kBackoffMax);
  EXPECT_EQ(backoff(hours(24), 1, JobId{1}), kBackoffMax);
  EXPECT_EQ(backoff(Micros::max(), 2, JobId{1}), kBackoffMax);
  EXPECT_LE(backoff(std::chrono::minutes(59), 1, JobId{1}), kBackoffMax);
}

TEST(Backoff, OfNoBaseIsNoWait) {
  EXPECT_EQ(backoff(Micros(0), 5, JobId{1}), Micros(0));
  EXPECT_EQ(backoff(Micros(-5), 5, JobId{1}), Micros(0));
}

TEST(Backoff, TreatsFewerThanOneFailureAsOne) {
  EXPECT_GE(backoff(seconds(2), 0, JobId{1}), seconds(2));
  EXPECT_LE(backoff(seconds(2), -7, JobId{1}), seconds(2) + Micros(500'000));
}

}  // namespace
}  // namespace agent_queue
