#include "core/cache/leaders.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace agent_queue {
namespace {

using Standing = Leaders::Standing;
using namespace std::chrono_literals;

constexpr LeadKey kKey{1, 2, 5};
constexpr LeadKey kOtherDatabase{1, 2, 6};
const WallTime kNow{std::chrono::hours(1'000)};

class LeadersTest : public ::testing::Test {
 protected:
  Leaders::Lead claim(const LeadKey &key, std::int64_t job, std::uint64_t worker, WallTime now = kNow,
                      WallTime until = kNow + 60s) {
    return leaders_.claim(key, job, worker, now, until, [&](std::uint64_t w) { return w != dead_; });
  }
  Standing standing(std::int64_t job, std::uint64_t worker = 7) { return claim(kKey, job, worker).standing; }

  std::vector<LeadEntry> entries_ = std::vector<LeadEntry>(2 * Leaders::kWays);
  Leaders leaders_{entries_.data(), entries_.size()};
  std::uint64_t dead_ = 0;
};

TEST_F(LeadersTest, TheFirstLeadsAndOthersFollowUntilTheLeadersTime) {
  EXPECT_EQ(standing(1), Standing::leads);
  const Leaders::Lead second = claim(kKey, 2, 8, kNow + 1s, kNow + 61s);
  EXPECT_EQ(second.standing, Standing::follows);
  EXPECT_EQ(second.until, kNow + 60s);  // one time for all followers of the key
  EXPECT_EQ(claim(kOtherDatabase, 3, 7).standing, Standing::leads);
}

TEST_F(LeadersTest, TheLeaderMayClaimAgain) {
  EXPECT_EQ(standing(1), Standing::leads);
  EXPECT_EQ(standing(1, 9), Standing::leads);  // after a backoff, by another worker
  EXPECT_EQ(standing(2), Standing::follows);
}

TEST_F(LeadersTest, RemovalTellsWhetherSomebodyFollowed) {
  standing(1);
  EXPECT_FALSE(leaders_.remove(kKey, 1));
  standing(1);
  standing(2);
  EXPECT_TRUE(leaders_.remove(kKey, 1));
  EXPECT_FALSE(leaders_.remove(kKey, 1));
  EXPECT_EQ(standing(3), Standing::leads);
}

TEST_F(LeadersTest, AVacantPlaceKeepsTheFollowersTime) {
  standing(1);
  standing(2);
  EXPECT_TRUE(leaders_.vacate(kKey, 1));
  EXPECT_FALSE(leaders_.is_led(kKey, kNow + 60s));
  const Leaders::Lead next = claim(kKey, 2, 7, kNow + 1s, kNow + 61s);
  EXPECT_EQ(next.standing, Standing::leads);
  EXPECT_EQ(next.until, kNow + 60s);
  EXPECT_TRUE(leaders_.remove(kKey, 2));
}

TEST_F(LeadersTest, AVacantPlaceThatNobodyFollowedIsFree) {
  standing(1);
  EXPECT_FALSE(leaders_.vacate(kKey, 1));
  EXPECT_EQ(claim(kKey, 2, 7, kNow + 1s, kNow + 61s).until, kNow + 61s);
}

TEST_F(LeadersTest, WhereAnswersAreNotStoredEverybodyCalls) {
  standing(1);
  standing(2);
  EXPECT_TRUE(leaders_.spoil(kKey, 1));
  EXPECT_EQ(standing(2), Standing::alone);
  EXPECT_EQ(standing(3), Standing::alone);
  EXPECT_EQ(claim(kKey, 4, 7, kNow + 60s, kNow + 120s).standing, Standing::leads);  // it may be better by then
}

TEST_F(LeadersTest, OnlyTheLeaderEndsItsLead) {
  standing(1);
  standing(2);
  EXPECT_FALSE(leaders_.vacate(kKey, 2));
  EXPECT_FALSE(leaders_.remove(kKey, 2));
  leaders_.suspend(kKey, 2);
  EXPECT_TRUE(leaders_.is_led(kKey, kNow + 60s));
}

TEST_F(LeadersTest, ADeadWorkersJobLeadsNoLonger) {
  standing(1, 7);
  dead_ = 7;
  EXPECT_EQ(standing(2, 8), Standing::leads);
}

TEST_F(LeadersTest, AJobThatWaitsForItsNextAttemptLeadsWhoeverDies) {
  standing(1, 7);
  leaders_.suspend(kKey, 1);
  dead_ = 7;
  EXPECT_EQ(standing(2, 8), Standing::follows);
}

TEST_F(LeadersTest, AfterItsTimeAnEntryIsForgotten) {
  standing(1);
  const Leaders::Lead late = claim(kKey, 2, 8, kNow + 60s, kNow + 120s);
  EXPECT_EQ(late.standing, Standing::leads);
  EXPECT_EQ(late.until, kNow + 120s);
  EXPECT_FALSE(leaders_.remove(kKey, 1));  // it is the other's now
}

TEST_F(LeadersTest, WhoFindsNoRoomCallsForHimself) {
  std::vector<LeadEntry> few(Leaders::kWays);
  Leaders small(few.data(), few.size());
  const auto is_alive = [](std::uint64_t) { return true; };
  for (std::uint64_t i = 0; i < Leaders::kWays; ++i)
    EXPECT_EQ(small.claim({i, i, 1}, 1, 7, kNow, kNow + 60s, is_alive).standing, Standing::leads);
  EXPECT_EQ(small.claim({99, 99, 1}, 2, 7, kNow, kNow + 60s, is_alive).standing, Standing::alone);
  // Time makes room.
  EXPECT_EQ(small.claim({99, 99, 1}, 2, 7, kNow + 60s, kNow + 90s, is_alive).standing, Standing::leads);
}

}  // namespace
}  // namespace agent_queue
