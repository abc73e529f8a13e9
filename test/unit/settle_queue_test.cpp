// Goal: what was paid for leaves the queue only when the store has it. Method: the fates a store can report, one by
// one.
#include "engine/settle_queue.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace agent_queue {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const SteadyTime kStart{std::chrono::hours(1)};

Settlement completed(std::int64_t id) {
  Settlement settlement;
  settlement.id = JobId{id};
  settlement.outcome = Outcome::completed;
  settlement.result = "{}";
  settlement.usage = UsageRecord{};
  settlement.usage->usage.output = 7;
  return settlement;
}

std::vector<std::int64_t> ids(std::span<const Settlement> batch) {
  std::vector<std::int64_t> numbers;
  for (const Settlement &settlement : batch) numbers.push_back(settlement.id.value);
  return numbers;
}

SettleQueue queue_of(int count) {
  SettleQueue queue;
  for (int id = 1; id <= count; ++id) queue.push(completed(id), kStart);
  return queue;
}

using Ids = std::vector<std::int64_t>;

TEST(SettleQueue, GivesWhatCameInOrderUpToTheLimit) {
  SettleQueue queue = queue_of(5);
  EXPECT_EQ(ids(queue.next_batch(kStart, 3)), (Ids{1, 2, 3}));
  queue.accept(std::vector<SettleFate>(3, SettleFate::settled), kStart);
  EXPECT_EQ(ids(queue.next_batch(kStart, 3)), (Ids{4, 5}));
  queue.accept(std::vector<SettleFate>(2, SettleFate::orphaned), kStart);
  EXPECT_TRUE(queue.empty());
}

TEST(SettleQueue, BringsKeptRowsBackAfterAWhile) {
  SettleQueue queue = queue_of(3);
  queue.next_batch(kStart, 10);
  queue.accept(std::vector{SettleFate::settled, SettleFate::kept, SettleFate::settled}, kStart);
  EXPECT_FALSE(queue.empty());
  EXPECT_TRUE(queue.next_batch(kStart, 10).empty());
  ASSERT_TRUE(queue.next_retry().has_value());
  EXPECT_LE(*queue.next_retry(), kStart + milliseconds(200));
  EXPECT_EQ(ids(queue.next_batch(*queue.next_retry(), 10)), (Ids{2}));
}

TEST(SettleQueue, GivesTheSameBatchOnceMoreWhenItWasPutBack) {
  SettleQueue queue = queue_of(2);
  queue.next_batch(kStart, 10);
  queue.push(completed(3), kStart);
  EXPECT_TRUE(queue.has_urgent());
  EXPECT_EQ(ids(queue.next_batch(kStart, 10)), (Ids{1, 2}));
}

TEST(SettleQueue, TriesAnUnstorableBatchAloneBeforeItSuspectsItsRows) {
  SettleQueue queue = queue_of(1);
  queue.next_batch(kStart, 10);
  EXPECT_FALSE(queue.is_batch_suspect());
  queue.split("the claim failed", kStart);
  const auto again = queue.next_batch(kStart, 10);
  EXPECT_TRUE(queue.is_batch_suspect());
  ASSERT_EQ(ids(again), (Ids{1}));
  EXPECT_EQ(again[0].outcome, Outcome::completed);
}

// A store that refuses one row: the others must get through as they are, that one as store_error with its usage.
TEST(SettleQueue, HalvesUntilTheBadRowStandsAlone) {
  constexpr std::int64_t kBad = 6;
  SettleQueue queue = queue_of(8);
  Ids stored;
  Settlement substitute;
  for (int rounds = 0; !queue.empty() && rounds < 50; ++rounds) {
    const auto batch = queue.next_batch(kStart, 10);
    bool is_refused = false;
    for (const Settlement &settlement : batch)
      is_refused |= settlement.id.value == kBad && settlement.outcome == Outcome::completed;
    if (is_refused) {
      queue.split("bad bytes", kStart);
      continue;
    }
    for (const Settlement &settlement : batch) {
      stored.push_back(settlement.id.value);
      if (settlement.id.value == kBad) substitute = settlement;
    }
    queue.accept(std::vector<SettleFate>(batch.size(), SettleFate::settled), kStart);
  }
  EXPECT_EQ(stored, (Ids{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(substitute.outcome, Outcome::failed);
  EXPECT_EQ(substitute.error_code, JobErrorCode::store_error);
  EXPECT_TRUE(substitute.result.empty());
  EXPECT_NE(substitute.error_message.find("bad bytes"), std::string::npos);
  ASSERT_TRUE(substitute.usage.has_value());
  EXPECT_EQ(substitute.usage->usage.output, 7);
}

TEST(SettleQueue, KeepsARowForLaterOfWhichNotEvenTheSubstituteCanBeStored) {
  SettleQueue queue = queue_of(1);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(queue.next_batch(kStart, 10).size(), 1u);
    queue.split("no", kStart);
  }
  EXPECT_FALSE(queue.has_urgent());
  EXPECT_FALSE(queue.empty());
  EXPECT_TRUE(queue.next_batch(kStart + seconds(1), 10).empty());
  EXPECT_EQ(ids(queue.next_batch(kStart + seconds(61), 10)), (Ids{1}));
}

TEST(SettleQueue, CountsNoRetryForWhatEndsAsStoreError) {
  SettleQueue queue;
  Settlement retry = completed(1);
  retry.outcome = Outcome::retry;
  retry.costs_attempt = true;
  queue.push(retry, kStart);
  for (int i = 0; i < 2; ++i) {
    queue.next_batch(kStart, 10);
    queue.split("no", kStart);
  }
  const auto batch = queue.next_batch(kStart, 10);
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(batch[0].outcome, Outcome::failed);
  EXPECT_FALSE(batch[0].costs_attempt);
}

TEST(SettleQueue, KeepsRowsOfWhichTheStoreSaidNothing) {
  SettleQueue queue = queue_of(2);
  queue.next_batch(kStart, 10);
  queue.accept(std::vector{SettleFate::settled}, kStart);
  EXPECT_EQ(ids(queue.next_batch(kStart + seconds(1), 10)), (Ids{2}));
}

TEST(SettleQueue, LeavesABlockedRowAloneSoThatTheOthersGoOn) {
  SettleQueue queue = queue_of(4);
  std::vector<Ids> tried;
  for (auto batch = queue.next_batch(kStart, 10); !batch.empty(); batch = queue.next_batch(kStart, 10)) {
    tried.push_back(ids(batch));
    const bool is_blocked = std::count(tried.back().begin(), tried.back().end(), 3) > 0;
    if (is_blocked)
      queue.isolate(kStart);
    else
      queue.accept(std::vector(batch.size(), SettleFate::settled), kStart);
  }
  EXPECT_EQ(tried, (std::vector<Ids>{{1, 2, 3, 4}, {1, 2}, {3, 4}, {3}, {4}}));
  const auto later = queue.next_batch(kStart + seconds(1), 10);
  EXPECT_EQ(ids(later), (Ids{3}));
  EXPECT_EQ(later[0].outcome, Outcome::completed);
}

TEST(SettleQueue, SaysWhenTheOldestFreshOneCame) {
  SettleQueue queue;
  queue.push(completed(1), kStart);
  queue.push(completed(2), kStart + seconds(1));
  EXPECT_EQ(queue.fresh_count(), 2u);
  EXPECT_EQ(queue.oldest(), kStart);
}

}  // namespace
}  // namespace agent_queue
