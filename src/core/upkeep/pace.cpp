#include "core/upkeep/pace.hpp"

#include <algorithm>

namespace agent_queue {

namespace {

constexpr int kShare = 25;
constexpr int kIdleShare = 4;
constexpr Micros kLongestRest{std::chrono::seconds(2)};  // a slice that met a slow disk must not stop upkeep for long

}  // namespace

void SliceSize::adapt(Micros took) {
  if (took < kSliceTime / 2)
    size_ = size_ > most_ / 2 ? most_ : size_ * 2;
  else if (took > kSliceTime)
    size_ = std::max(least_, size_ / 2);
}

Micros rest_after(Micros took, Load load, SliceKind kind) {
  const int share = load == Load::idle && kind == SliceKind::changed ? kIdleShare : kShare;
  return std::clamp<Micros>(took * (share - 1), Micros{0}, kLongestRest);
}

}  // namespace agent_queue
