// Upkeep's decisions: which finished jobs go, how much a slice takes on, how long it rests, what is set aside.
#include <gtest/gtest.h>

#include <limits>

#include "core/upkeep/batch_limit.hpp"
#include "core/upkeep/pace.hpp"
#include "core/upkeep/retention.hpp"

namespace agent_queue {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow{std::chrono::sys_days(std::chrono::year{2026} / 11 / 21)};

RetentionSweep sweep_with(const RetentionRule &rule) {
  NameMap<RetentionRule> rules;
  rules.emplace("agents", rule);
  return RetentionSweep(std::move(rules));
}

FinishedJob completed(Micros age = Micros{0}) {
  return {.queue = "agents", .status = FinishedStatus::completed, .ended_at = kNow - age};
}

FinishedJob failed(Micros age = Micros{0}) {
  return {.queue = "agents", .status = FinishedStatus::failed, .ended_at = kNow - age};
}

TEST(Retention, AQueueWithoutARuleKeepsEverything) {
  RetentionSweep sweep = sweep_with({.keep_completed = 0, .keep_failed = 0, .keep_for = Micros{0}});
  const FinishedJob job{.queue = "elsewhere", .status = FinishedStatus::completed, .ended_at = kNow - hours(9000)};
  EXPECT_EQ(sweep.judge(job, kNow), Verdict::keep);
}

TEST(Retention, CountsTheNewestOfEachStatusByThemselves) {
  RetentionSweep sweep = sweep_with({.keep_completed = 2, .keep_failed = 1, .keep_for = {}});
  EXPECT_EQ(sweep.judge(completed(), kNow), Verdict::keep);
  EXPECT_EQ(sweep.judge(failed(), kNow), Verdict::keep);
  EXPECT_EQ(sweep.judge(completed(), kNow), Verdict::keep);
  EXPECT_EQ(sweep.judge(completed(), kNow), Verdict::remove);
  EXPECT_EQ(sweep.judge(failed(), kNow), Verdict::remove);
}

TEST(Retention, CountsEachQueueByItself) {
  NameMap<RetentionRule> rules;
  rules.emplace("agents", RetentionRule{.keep_completed = 1, .keep_failed = {}, .keep_for = {}});
  rules.emplace("reports", RetentionRule{.keep_completed = 1, .keep_failed = {}, .keep_for = {}});
  RetentionSweep sweep(std::move(rules));
  EXPECT_EQ(sweep.judge(completed(), kNow), Verdict::keep);
  const FinishedJob report{.queue = "reports", .status = FinishedStatus::completed, .ended_at = kNow};
  EXPECT_EQ(sweep.judge(report, kNow), Verdict::keep);
  EXPECT_EQ(sweep.judge(report, kNow), Verdict::remove);
}

TEST(Retention, WhatIsTooOldGoesAndIsInNoCount) {
  RetentionSweep sweep = sweep_with({.keep_completed = 1, .keep_failed = {}, .keep_for = hours(1)});
  EXPECT_EQ(sweep.judge(completed(hours(1) + Micros{1}), kNow), Verdict::remove);
  EXPECT_EQ(sweep.judge(completed(hours(1)), kNow), Verdict::keep) << "exactly as old as is allowed";
  EXPECT_EQ(sweep.judge(completed(), kNow), Verdict::remove);
}

TEST(Retention, AJobWhoseEndIsNotKnownIsNeverTooOld) {
  RetentionSweep sweep = sweep_with({.keep_completed = 1, .keep_failed = {}, .keep_for = Micros{0}});
  const FinishedJob job{.queue = "agents", .status = FinishedStatus::completed, .ended_at = {}};
  EXPECT_EQ(sweep.judge(job, kNow), Verdict::keep);
  EXPECT_EQ(sweep.judge(job, kNow), Verdict::remove) << "but it counts";
}

TEST(Retention, NothingIsKeptWhereZeroIsToBeKept) {
  RetentionSweep sweep = sweep_with({.keep_completed = 0, .keep_failed = {}, .keep_for = {}});
  EXPECT_EQ(sweep.judge(completed(), kNow), Verdict::remove);
  EXPECT_EQ(sweep.judge(failed(hours(100000)), kNow), Verdict::keep);
}

TEST(Retention, ACopyTakesASliceBack) {
  RetentionSweep sweep = sweep_with({.keep_completed = 1, .keep_failed = {}, .keep_for = {}});
  const RetentionSweep before = sweep;
  EXPECT_EQ(sweep.judge(completed(), kNow), Verdict::keep);
  EXPECT_EQ(sweep.judge(completed(), kNow), Verdict::remove);
  sweep = before;
  EXPECT_EQ(sweep.judge(completed(), kNow), Verdict::keep);
}

TEST(SliceSize, GrowsWhileSlicesAreQuickAndShrinksWhileTheyAreSlow) {
  SliceSize size(100, 1000, 4000);
  size.adapt(kSliceTime / 4);
  EXPECT_EQ(size.value(), 2000);
  size.adapt(kSliceTime * 3 / 4);
  EXPECT_EQ(size.value(), 2000) << "as it should be";
  for (int i = 0; i < 3; ++i) size.adapt(Micros{0});
  EXPECT_EQ(size.value(), 4000);
  for (int i = 0; i < 9; ++i) size.adapt(seconds(1));
  EXPECT_EQ(size.value(), 100);
}

TEST(SliceSize, ReachesTheWholeRangeOfIdsWithoutOverflow) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  SliceSize size(100, 1000, kMost);
  for (int i = 0; i < 70; ++i) size.adapt(Micros{0});
  EXPECT_EQ(size.value(), kMost);
}

TEST(Pace, LeavesTheWorkerToTheJobs) {
  const Micros took = milliseconds(2);
  EXPECT_EQ(rest_after(took, Load::busy, SliceKind::changed), took * 24);
  EXPECT_EQ(rest_after(took, Load::idle, SliceKind::looked), took * 24);
  EXPECT_EQ(rest_after(took, Load::idle, SliceKind::changed), took * 3);
  EXPECT_EQ(rest_after(minutes(5), Load::busy, SliceKind::looked), seconds(2));
}

TEST(BatchLimit, FindsTheRowThatIsInTheWayAndRecovers) {
  BatchLimit limit(1000);
  int tries = 0;
  for (int tried = limit.value(); tried > 1; tried = limit.value(), ++tries) limit.refused(tried);
  EXPECT_LE(tries, 6);
  for (int i = 0; i < 10; ++i) limit.succeeded();
  EXPECT_EQ(limit.value(), 1000);
}

TEST(SetAsideJobs, AreThereForAMinute) {
  SetAsideJobs jobs;
  const SteadyTime now{hours(1)};
  EXPECT_TRUE(jobs.add(JobId{7}, now));
  ASSERT_EQ(jobs.ids(now + seconds(59)).size(), 1U);
  EXPECT_EQ(jobs.ids(now + seconds(59)).front(), 7);
  EXPECT_TRUE(jobs.ids(now + minutes(1)).empty());
}

TEST(SetAsideJobs, AreAThousandAtMost) {
  SetAsideJobs jobs;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(jobs.add(JobId{i}, SteadyTime{}));
  EXPECT_FALSE(jobs.add(JobId{1000}, SteadyTime{}));
}

}  // namespace
}  // namespace agent_queue
