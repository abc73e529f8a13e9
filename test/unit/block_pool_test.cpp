#include "core/limit/block_pool.hpp"

#include <cstring>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace agent_queue {
namespace {

class OwnedPool {
 public:
  explicit OwnedPool(std::uint32_t chunks)
      : states_(chunks * kBlocksPerChunk), blocks_(chunks * kBlocksPerChunk * kBlockBytes / sizeof(std::max_align_t)) {
    pool().clear(chunks);
  }
  BlockPool pool() { return BlockPool(head_, states_.data(), reinterpret_cast<std::byte *>(blocks_.data())); }

 private:
  BlockPoolHead head_{};
  std::vector<std::uint8_t> states_;
  std::vector<std::max_align_t> blocks_;
};

TEST(BlockPool, FindsTheSmallestOrderThatHoldsTheBytes) {
  EXPECT_EQ(block_order(1), 0);
  EXPECT_EQ(block_order(256), 0);
  EXPECT_EQ(block_order(257), 1);
  EXPECT_EQ(block_order(kChunkBytes), kBlockOrders - 1);
  EXPECT_EQ(block_order(kChunkBytes + 1), kBlockOrders);
}

TEST(BlockPool, GivesEveryBlockOnceAndThenNone) {
  OwnedPool owned(2);
  BlockPool pool = owned.pool();
  std::vector<bool> given(2 * kBlocksPerChunk);
  for (std::uint32_t i = 0; i < 2 * kBlocksPerChunk; ++i) {
    const std::uint32_t block = pool.allocate(0);
    ASSERT_NE(block, kNoBlock);
    ASSERT_FALSE(given[block]);
    given[block] = true;
  }
  EXPECT_EQ(pool.allocate(0), kNoBlock);
}

TEST(BlockPool, JoinsWhatIsReleasedToTheLargestSizeAgain) {
  OwnedPool owned(1);
  BlockPool pool = owned.pool();
  std::vector<std::uint32_t> blocks;
  for (std::uint32_t i = 0; i < kBlocksPerChunk; ++i) blocks.push_back(pool.allocate(0));
  EXPECT_EQ(pool.allocate(kBlockOrders - 1), kNoBlock);
  for (std::uint32_t i = 0; i < blocks.size(); ++i) pool.release(blocks[(i * 37) % blocks.size()]);
  EXPECT_NE(pool.allocate(kBlockOrders - 1), kNoBlock);
}

TEST(BlockPool, AllocatesAndReleasesByChanceWithoutOverlapOrLoss) {
  constexpr std::uint32_t kChunks = 4;
  OwnedPool owned(kChunks);
  BlockPool pool = owned.pool();
  std::mt19937 random(7);
  std::map<std::uint32_t, int> held;  // block, order
  for (int step = 0; step < 20000; ++step) {
    if (random() % 2 == 0) {
      const int order = static_cast<int>(random() % kBlockOrders);
      const std::uint32_t block = pool.allocate(order);
      if (block == kNoBlock) continue;
      ASSERT_EQ(block % (1U << order), 0U);
      const auto after = held.lower_bound(block);
      if (after != held.end()) {
        ASSERT_GE(after->first, block + (1U << order));
      }
      if (after != held.begin()) {
        ASSERT_LE(std::prev(after)->first + (1U << std::prev(after)->second), block);
      }
      held[block] = order;
      std::memset(pool.at(block), 0xAA, kBlockBytes << order);
    } else if (!held.empty()) {
      const auto chosen = std::next(held.begin(), random() % held.size());
      ASSERT_EQ(pool.order_of(chosen->first), chosen->second);
      pool.release(chosen->first);
      held.erase(chosen);
    }
  }
  auto expected = held.begin();
  for (std::uint32_t block = pool.next_allocated(0); block != kNoBlock; block = pool.next_allocated(block + 1))
    ASSERT_EQ(block, (expected++)->first);
  ASSERT_EQ(expected, held.end());
  for (const auto &[block, order] : held) pool.release(block);
  for (std::uint32_t chunk = 0; chunk < kChunks; ++chunk) EXPECT_NE(pool.allocate(kBlockOrders - 1), kNoBlock);
}

}  // namespace
}  // namespace agent_queue
