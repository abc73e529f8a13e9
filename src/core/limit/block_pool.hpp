// Memory of a fixed size in blocks of 256 bytes to 16 kB, each twice the one before: a buddy allocator over the
// caller's memory, plain data without pointers, so that it may lie in shared memory. Two neighbours that are free
// become one. Tested in test/unit/block_pool_test.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace agent_queue {

inline constexpr std::size_t kBlockBytes = 256;  // of order 0
inline constexpr int kBlockOrders = 7;
inline constexpr std::uint32_t kBlocksPerChunk = 1U << (kBlockOrders - 1);
inline constexpr std::uint32_t kNoBlock = UINT32_MAX;

// The largest order's size.
inline constexpr std::size_t kChunkBytes = kBlockBytes * kBlocksPerChunk;

// The smallest order that holds so many bytes; kBlockOrders: none does.
constexpr int block_order(std::size_t bytes) {
  int order = 0;
  while (order < kBlockOrders && (kBlockBytes << order) < bytes) ++order;
  return order;
}

struct BlockPoolHead {
  std::uint32_t block_count;  // of order 0
  std::uint32_t first_free[kBlockOrders];
};

// A view of a pool: owns nothing. The memory: a head, a byte for each block, and the blocks themselves.
class BlockPool {
 public:
  BlockPool() = default;  // of nothing, to be assigned to
  BlockPool(BlockPoolHead &head, std::uint8_t *states, std::byte *blocks)
      : head_(&head), states_(states), blocks_(blocks) {}

  // Makes an empty pool of so many chunks.
  void clear(std::uint32_t chunk_count);

  // kNoBlock: there is none of that size. What is in it is not defined.
  std::uint32_t allocate(int order);
  void release(std::uint32_t block);

  int order_of(std::uint32_t block) const;
  void *at(std::uint32_t block) const { return blocks_ + block * kBlockBytes; }

  // Does an allocated piece begin here?
  bool is_allocated(std::uint32_t block) const;

  // The first block at or behind `from` that is allocated; kNoBlock: there is none. `from` may be any number.
  std::uint32_t next_allocated(std::uint32_t from) const;

 private:
  struct FreeLinks {
    std::uint32_t next, previous;
  };
  FreeLinks &links(std::uint32_t block) const { return *static_cast<FreeLinks *>(at(block)); }
  void push_free(std::uint32_t block, int order);
  void remove_free(std::uint32_t block, int order);

  BlockPoolHead *head_ = nullptr;
  std::uint8_t *states_ = nullptr;
  std::byte *blocks_ = nullptr;
};

}  // namespace agent_queue
