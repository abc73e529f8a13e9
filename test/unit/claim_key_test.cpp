// The place in line: priority orders jobs of one moment, age wins in the end.
#include <gtest/gtest.h>

#include "core/job/claim_key.hpp"

namespace agent_queue {
namespace {

using std::chrono::sys_days;
using std::chrono::year;

constexpr WallTime kNoon{sys_days(year{2026} / 11 / 20) + std::chrono::hours(12)};

TEST(ClaimKey, IsMicrosecondsSince2000PlusThirtySecondsAPriority) {
  EXPECT_EQ(claim_key(WallTime{sys_days(year{2000} / 1 / 1)}, 0), 0);
  EXPECT_EQ(claim_key(WallTime{sys_days(year{2000} / 1 / 1)}, 1), 30'000'000);
  EXPECT_EQ(claim_key(WallTime{sys_days(year{2000} / 1 / 2)}, 10), 86'400'000'000 + 300'000'000);
  EXPECT_EQ(claim_key(WallTime{sys_days(year{1999} / 12 / 31)}, 1), -86'400'000'000 + 30'000'000);
}

TEST(ClaimKey, CountsTheSameFromPostgresTimestamps) {
  EXPECT_EQ(claim_key(kNoon - kClaimKeyEpoch, 5), claim_key(kNoon, 5));
}

TEST(ClaimKey, OrdersByPriorityWithinOneMoment) {
  for (int priority = 1; priority < 10; ++priority)
    EXPECT_LT(claim_key(kNoon, priority), claim_key(kNoon, priority + 1));
}

TEST(ClaimKey, IsFirstInFirstOutWithinOnePriority) {
  EXPECT_LT(claim_key(kNoon, 5), claim_key(kNoon + Micros{1}, 5));
}

TEST(ClaimKey, LetsAgeWinOverPriority) {
  EXPECT_LT(claim_key(kNoon, 9), claim_key(kNoon + 8 * kAgeingStep + Micros{1}, 1));
  EXPECT_EQ(claim_key(kNoon, 9), claim_key(kNoon + 8 * kAgeingStep, 1));
  EXPECT_GT(claim_key(kNoon, 9), claim_key(kNoon + 8 * kAgeingStep - Micros{1}, 1));
}

TEST(ClaimKey, StopsAtTheEndsOfABigint) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(claim_key(Micros{kMax}, 1), kMax);
  EXPECT_EQ(claim_key(Micros{kMax - kAgeingStep.count()}, 1), kMax);
  EXPECT_EQ(claim_key(Micros{kMax - kAgeingStep.count() - 1}, 1), kMax - 1);
  EXPECT_EQ(claim_key(Micros{kMin}, -1), kMin);
  EXPECT_EQ(claim_key(Micros{kMin}, 1), kMin + kAgeingStep.count());
}

}  // namespace
}  // namespace agent_queue
