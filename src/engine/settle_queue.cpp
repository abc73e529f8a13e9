#include "engine/settle_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/wire/text_clean.hpp"

namespace agent_queue {

namespace {

constexpr Micros kLockedRetry{std::chrono::milliseconds(50)};
constexpr Micros kBlockedRetry{std::chrono::seconds(1)};
constexpr Micros kHopelessRetry{std::chrono::seconds(60)};

// The same end without the part that cannot be stored. The usage stays: it was paid.
Settlement as_store_error(const Settlement &original, const std::string &why) {
  Settlement substitute = original;
  substitute.outcome = Outcome::failed;
  substitute.costs_attempt = false;  // nothing is tried again
  substitute.result.clear();
  substitute.error_code = JobErrorCode::store_error;
  substitute.error_message = clean_text("the answer could not be stored: " + why, kErrorMessageBytesMax);
  return substitute;
}

bool is_substitute(const Settlement &settlement) {
  return settlement.error_code == JobErrorCode::store_error;
}

template <typename Source>
void append_moved(std::vector<Settlement> &target, Source first, Source last) {
  target.insert(target.end(), std::make_move_iterator(first), std::make_move_iterator(last));
}

}  // namespace

void SettleQueue::push(Settlement settlement, SteadyTime now) {
  if (fresh_.empty()) oldest_ = now;
  fresh_.push_back(std::move(settlement));
}

std::optional<SteadyTime> SettleQueue::next_retry() const {
  if (!suspects_.empty()) return SteadyTime{};
  if (kept_.empty()) return std::nullopt;
  return std::min_element(kept_.begin(), kept_.end(), [](const Kept &a, const Kept &b) { return a.due < b.due; })->due;
}

std::span<const Settlement> SettleQueue::next_batch(SteadyTime now, std::size_t limit) {
  if (!batch_.empty()) return batch_;  // put back: the same once more
  is_batch_suspect_ = !suspects_.empty();
  if (is_batch_suspect_) {
    batch_ = std::move(suspects_.front());
    suspects_.pop_front();
    return batch_;
  }
  for (auto it = kept_.begin(); it != kept_.end() && batch_.size() < limit;) {
    if (it->due > now) {
      ++it;
      continue;
    }
    batch_.push_back(std::move(it->settlement));
    it = kept_.erase(it);
  }
  const std::size_t taken = std::min(fresh_.size(), limit - batch_.size());
  const auto end = fresh_.begin() + static_cast<std::ptrdiff_t>(taken);
  append_moved(batch_, fresh_.begin(), end);
  fresh_.erase(fresh_.begin(), end);
  return batch_;
}

void SettleQueue::accept(std::span<const SettleFate> fates, SteadyTime now) {
  for (std::size_t i = 0; i < batch_.size(); ++i)
    if (i >= fates.size() || fates[i] == SettleFate::kept) kept_.push_back({std::move(batch_[i]), now + kLockedRetry});
  batch_.clear();
}

void SettleQueue::split(const std::string &why, SteadyTime now) {
  if (!is_batch_suspect_) {
    // The round may have failed for another reason, its claim: first the same batch alone.
    suspects_.push_front(std::move(batch_));
  } else if (batch_.size() == 1) {
    Settlement &only = batch_.front();
    if (is_substitute(only))
      kept_.push_back({std::move(only), now + kHopelessRetry});
    else
      suspects_.push_front({as_store_error(only, why)});
  } else {
    halve();
  }
  batch_.clear();
}

void SettleQueue::isolate(SteadyTime now) {
  if (batch_.size() == 1)
    kept_.push_back({std::move(batch_.front()), now + kBlockedRetry});
  else
    halve();
  batch_.clear();
}

void SettleQueue::halve() {
  const auto middle = batch_.begin() + static_cast<std::ptrdiff_t>(batch_.size() / 2);
  std::vector<Settlement> first;
  std::vector<Settlement> second;
  append_moved(first, batch_.begin(), middle);
  append_moved(second, middle, batch_.end());
  suspects_.push_front(std::move(second));
  suspects_.push_front(std::move(first));
}

}  // namespace agent_queue
