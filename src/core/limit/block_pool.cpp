#include "core/limit/block_pool.hpp"

namespace agent_queue {

namespace {

// The state of a block that begins a piece: its order, and whether it is free. Any other block: inside of a piece.
constexpr std::uint8_t kInside = 0xFF;
constexpr std::uint8_t kFree = 0x80;

constexpr std::uint8_t free_of(int order) {
  return static_cast<std::uint8_t>(kFree | order);
}

}  // namespace

void BlockPool::push_free(std::uint32_t block, int order) {
  const std::uint32_t next = head_->first_free[order];
  links(block) = {next, kNoBlock};
  if (next != kNoBlock) links(next).previous = block;
  head_->first_free[order] = block;
  states_[block] = free_of(order);
}

void BlockPool::remove_free(std::uint32_t block, int order) {
  const FreeLinks own = links(block);
  if (own.next != kNoBlock) links(own.next).previous = own.previous;
  if (own.previous != kNoBlock)
    links(own.previous).next = own.next;
  else
    head_->first_free[order] = own.next;
  states_[block] = kInside;
}

void BlockPool::clear(std::uint32_t chunk_count) {
  head_->block_count = chunk_count * kBlocksPerChunk;
  for (std::uint32_t &first : head_->first_free) first = kNoBlock;
  for (std::uint32_t block = 0; block < head_->block_count; ++block) states_[block] = kInside;
  for (std::uint32_t chunk = chunk_count; chunk > 0; --chunk)
    push_free((chunk - 1) * kBlocksPerChunk, kBlockOrders - 1);
}

std::uint32_t BlockPool::allocate(int order) {
  int found = order;
  while (found < kBlockOrders && head_->first_free[found] == kNoBlock) ++found;
  if (found >= kBlockOrders) return kNoBlock;
  const std::uint32_t block = head_->first_free[found];
  remove_free(block, found);
  while (found > order) {
    --found;
    push_free(block + (1U << found), found);
  }
  states_[block] = static_cast<std::uint8_t>(order);
  return block;
}

void BlockPool::release(std::uint32_t block) {
  int order = states_[block];
  states_[block] = kInside;
  for (; order < kBlockOrders - 1; ++order) {
    const std::uint32_t buddy = block ^ (1U << order);
    if (states_[buddy] != free_of(order)) break;
    remove_free(buddy, order);
    block = block < buddy ? block : buddy;
  }
  push_free(block, order);
}

int BlockPool::order_of(std::uint32_t block) const {
  return states_[block];
}

bool BlockPool::is_allocated(std::uint32_t block) const {
  return states_[block] < kBlockOrders;
}

std::uint32_t BlockPool::next_allocated(std::uint32_t from) const {
  for (std::uint32_t block = from; block < head_->block_count; ++block)
    if (is_allocated(block)) return block;
  return kNoBlock;
}

}  // namespace agent_queue
