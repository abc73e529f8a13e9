#include "core/limit/sliding_window.hpp"

#include <array>
#include <cassert>

namespace agent_queue {

// 63 slices are as long as the window or a little longer, so that with the one that is being written 64 are enough: the
// slice before them has left the window as a whole.
std::int64_t SlidingWindow::slice_length() const {
  return (length() + kWindowSlices - 2) / (kWindowSlices - 1);
}

std::int64_t SlidingWindow::clamped(Micros now) const {
  if (head_->is_sliced) return std::max(now.count(), head_->newest_slice * slice_length());
  return head_->count == 0 ? now.count() : std::max(now.count(), time_at(head_->count - 1));
}

// The times lie in order: the first that has not left the window.
int SlidingWindow::first_counting(std::int64_t now) const {
  int low = 0;
  int high = head_->count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (now - time_at(middle) >= length())
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

std::int64_t SlidingWindow::oldest_slice(std::int64_t now) const {
  return std::max<std::int64_t>({now / slice_length(), head_->newest_slice, kWindowSlices - 1}) - (kWindowSlices - 1);
}

// What lies between the slice that was written last and this one is empty.
void SlidingWindow::open_slice(std::int64_t number) {
  const std::int64_t from = std::max(head_->newest_slice + 1, number - kWindowSlices + 1);
  for (std::int64_t i = from; i <= number; ++i) slice(i) = 0;
  head_->newest_slice = std::max(head_->newest_slice, number);
}

// Times come in order. An exact window that is full forgets the oldest: it has left, or more are known than may be.
void SlidingWindow::add(std::int64_t time, std::int64_t requests) {
  if (head_->is_sliced) {
    const std::int64_t number = time / slice_length();
    open_slice(number);
    slice(number) += requests;
    return;
  }
  const std::int64_t kept = std::min<std::int64_t>(requests, capacity_);
  for (std::int64_t i = 0; i < kept; ++i) {
    if (head_->count == capacity_)
      head_->oldest = (head_->oldest + 1) % capacity_;
    else
      ++head_->count;
    cells_[(head_->oldest + head_->count - 1) % capacity_] = time;
  }
}

void SlidingWindow::take_over(const SlidingWindow &other, Micros now) {
  const WindowHead &from = *other.head_;
  if (!from.is_sliced) {
    for (int i = 0; i < from.count; ++i) add(other.time_at(i), 1);
    return;
  }
  const std::int64_t length = other.slice_length();
  for (std::int64_t i = other.oldest_slice(0); i <= from.newest_slice; ++i) {
    const std::int64_t last_instant = (i + 1) * length - 1;
    if (other.slice(i) > 0) add(std::min(last_instant, std::max(now.count(), i * length)), other.slice(i));
  }
}

void SlidingWindow::set_limit(const RateLimit &limit, Micros now) {
  assert(window_cells(limit) <= capacity_);
  const bool is_sliced = limit.max_requests > kExactRequestsMax;
  const bool is_same_kind = is_sliced == head_->is_sliced && (!is_sliced || limit.window.count() == length());
  if (!is_same_kind && length() > 0) {
    std::array<std::int64_t, kExactRequestsMax> old_cells;
    WindowHead old_head = *head_;
    std::copy_n(cells_, old_head.is_sliced ? kWindowSlices : capacity_, old_cells.begin());
    *head_ = WindowHead{limit.window.count(), 0, limit.max_requests, 0, 0, is_sliced};
    if (is_sliced) std::fill_n(cells_, kWindowSlices, 0);
    take_over(SlidingWindow(old_head, old_cells.data(), capacity_), now);
    return;
  }
  if (is_sliced && length() == 0) std::fill_n(cells_, kWindowSlices, 0);
  head_->is_sliced = is_sliced;
  head_->length_us = limit.window.count();
  head_->max_requests = limit.max_requests;
}

int SlidingWindow::used(Micros now) const {
  const std::int64_t at = clamped(now);
  if (!head_->is_sliced) return head_->count - first_counting(at);
  std::int64_t sum = 0;
  for (std::int64_t i = oldest_slice(at); i <= head_->newest_slice; ++i) sum += slice(i);
  return static_cast<int>(sum);
}

std::optional<Micros> SlidingWindow::wait_for(int requests, Micros now) const {
  if (requests > head_->max_requests) return std::nullopt;
  const std::int64_t at = clamped(now);
  std::int64_t too_many = std::int64_t{used(now)} + requests - head_->max_requests;
  if (too_many <= 0) return Micros{0};
  if (!head_->is_sliced) {
    const std::int64_t in_the_way = time_at(first_counting(at) + static_cast<int>(too_many) - 1);
    return Micros{in_the_way + length() - at};
  }
  std::int64_t number = oldest_slice(at);
  while ((too_many -= slice(number)) > 0) ++number;
  return Micros{(number + kWindowSlices) * slice_length() - at};
}

Micros SlidingWindow::accept(int requests, Micros now) {
  const std::int64_t at = clamped(now);
  add(at, requests);
  return Micros{head_->is_sliced ? at / slice_length() * slice_length() : at};
}

void SlidingWindow::give_back(int requests, Micros at) {
  if (head_->is_sliced) {
    const std::int64_t number = at.count() / slice_length();
    if (number > head_->newest_slice || number < oldest_slice(0)) return;
    slice(number) -= std::min<std::int64_t>(requests, slice(number));
    return;
  }
  // The newest of that time; those behind them move up.
  int end = head_->count;
  while (end > 0 && time_at(end - 1) > at.count()) --end;
  int begin = end;
  while (begin > 0 && end - begin < requests && time_at(begin - 1) == at.count()) --begin;
  for (int i = end; begin < end && i < head_->count; ++i)
    cells_[(head_->oldest + begin + i - end) % capacity_] = time_at(i);
  head_->count -= end - begin;
}

Micros SlidingWindow::idle_at() const {
  if (!head_->is_sliced) return Micros{head_->count == 0 ? 0 : time_at(head_->count - 1) + length()};
  for (std::int64_t i = head_->newest_slice; i >= oldest_slice(0); --i)
    if (slice(i) > 0) return Micros{(i + kWindowSlices) * slice_length()};
  return Micros{0};
}

}  // namespace agent_queue
