// How many workers a database wants: one property a test.
#include "engine/scaling.hpp"

#include <gtest/gtest.h>

namespace agent_queue {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr WorkerBounds kBounds{.min = 1, .max = 3};
const SteadyTime kStart{seconds(1000)};

Backlog waiting(int count, Micros oldest = Micros{0}) {
  return {.waiting = count, .oldest_wait = oldest};
}

TEST(Scaling, AsksForOneMoreWhileMoreThanAHundredWait) {
  Scaling scaling;
  EXPECT_EQ(scaling.wanted(waiting(101), true, 1, kBounds, kStart), 2);
  EXPECT_EQ(scaling.wanted(waiting(100), true, 1, kBounds, kStart), 1);
}

TEST(Scaling, AsksForOneMoreWhenTheOldestWaitsOverASecond) {
  Scaling scaling;
  EXPECT_EQ(scaling.wanted(waiting(20, milliseconds(1001)), true, 1, kBounds, kStart), 2);
  EXPECT_EQ(scaling.wanted(waiting(20, milliseconds(999)), true, 1, kBounds, kStart), 1);
}

TEST(Scaling, AsksForNoMoreWhileThereIsRoomInThisWorker) {
  Scaling scaling;
  EXPECT_EQ(scaling.wanted(waiting(101), false, 1, kBounds, kStart), 1);
}

TEST(Scaling, StaysWithinItsBounds) {
  Scaling scaling;
  EXPECT_EQ(scaling.wanted(waiting(101), true, 3, kBounds, kStart), 3);
  EXPECT_EQ(scaling.wanted(waiting(101), true, 5, kBounds, kStart), 3);
  EXPECT_EQ(scaling.wanted(waiting(101), true, 1, {.min = 4, .max = 2}, kStart), 4);
}

TEST(Scaling, GivesOneBackAfterAMinuteWithFewerThanTen) {
  Scaling scaling;
  EXPECT_EQ(scaling.wanted(waiting(9), false, 3, kBounds, kStart), 3);
  EXPECT_EQ(scaling.wanted(waiting(9), false, 3, kBounds, kStart + seconds(59)), 3);
  EXPECT_EQ(scaling.wanted(waiting(9), false, 3, kBounds, kStart + seconds(60)), 2);
  EXPECT_EQ(scaling.wanted(waiting(9), false, 2, kBounds, kStart + seconds(61)), 2) << "one at a time";
  EXPECT_EQ(scaling.wanted(waiting(9), false, 2, kBounds, kStart + seconds(120)), 1);
  EXPECT_EQ(scaling.wanted(waiting(9), false, 1, kBounds, kStart + seconds(180)), 1);
}

TEST(Scaling, CountsTheMinuteAnewAfterEachBusyMoment) {
  Scaling scaling;
  scaling.wanted(waiting(0), false, 2, kBounds, kStart);
  scaling.wanted(waiting(10), false, 2, kBounds, kStart + seconds(30));
  EXPECT_EQ(scaling.wanted(waiting(0), false, 2, kBounds, kStart + seconds(61)), 2);
  EXPECT_EQ(scaling.wanted(waiting(0), false, 2, kBounds, kStart + seconds(121)), 1);
}

}  // namespace
}  // namespace agent_queue
