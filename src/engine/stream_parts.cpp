#include "engine/stream_parts.hpp"

#include <algorithm>
#include <utility>

namespace agent_queue {

namespace {

// Parts of several calls wait this long for each other: the most rounds a second that parts alone can cause is 40.
constexpr Micros kGatherWait{std::chrono::milliseconds(25)};
constexpr Micros kRefusedFirst{std::chrono::seconds(1)};
constexpr Micros kRefusedLast{std::chrono::seconds(60)};
constexpr std::size_t kPartsMax = 1000;
constexpr std::size_t kBytesMax = 4u << 20;  // of a round; a single part may be larger

std::int64_t count_chars(std::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace

void StreamParts::open(CallId id, const Terms &terms) {
  texts_[id.value].terms = terms;
}

void StreamParts::look_again_at(SteadyTime at) {
  at = std::max(at, not_before_);
  next_due_ = next_due_ ? std::min(*next_due_, at) : at;
}

// Its place is before what has come since.
void StreamParts::put_back() {
  for (std::size_t i = 0; i < batch_.size(); ++i)
    if (const auto it = texts_.find(batch_calls_[i]); it != texts_.end())
      it->second.waiting = std::move(batch_[i].text) + it->second.waiting;
  batch_.clear();
  batch_calls_.clear();
}

void StreamParts::add(CallId id, std::string_view text, SteadyTime now) {
  const auto it = texts_.find(id.value);
  if (it == texts_.end() || it->second.is_given_up || text.empty()) return;
  const bool is_first = it->second.waiting.empty();
  it->second.waiting += text;
  if (is_first) look_again_at(std::max(it->second.next_write, now + kGatherWait));
}

bool StreamParts::close(CallId id) {
  const auto it = texts_.find(id.value);
  if (it == texts_.end()) return false;
  const bool may_be_stored = it->second.may_be_stored;
  texts_.erase(it);
  return may_be_stored;
}

// Who has waited longest comes first: a text that cannot be stored has, and so stands alone in the end.
std::vector<std::uint64_t> StreamParts::due_now(SteadyTime now) {
  std::vector<std::pair<SteadyTime, std::uint64_t>> due;
  for (const auto &[id, text] : texts_) {
    if (text.waiting.empty()) continue;
    if (text.next_write <= now)
      due.emplace_back(text.next_write, id);
    else
      look_again_at(std::max(text.next_write, now + kGatherWait));
  }
  std::sort(due.begin(), due.end());
  std::vector<std::uint64_t> ids;
  ids.reserve(due.size());
  for (const auto &[next_write, id] : due) ids.push_back(id);
  return ids;
}

std::span<const StreamPart> StreamParts::next_batch(SteadyTime now) {
  if (!is_due(now)) return {};
  put_back();
  was_batch_alone_ = is_alone_;
  next_due_.reset();
  const std::size_t most = most_ > 0 ? most_ : kPartsMax;
  std::size_t bytes = 0;
  for (const std::uint64_t id : due_now(now)) {
    Text &text = texts_.at(id);
    if (batch_.size() == most || (!batch_.empty() && bytes + text.waiting.size() > kBytesMax)) {
      look_again_at(now + kGatherWait);
      break;
    }
    bytes += text.waiting.size();
    text.may_be_stored = true;
    StreamPart part{text.terms.job, text.terms.started_at, text.parts + 1, std::exchange(text.waiting, {}),
                    text.chars,     text.terms.is_told};
    part.chars += count_chars(part.text);
    batch_.push_back(std::move(part));
    batch_calls_.push_back(id);
  }
  if (!batch_.empty()) look_again_at(now + kRefusedFirst);
  return batch_;
}

void StreamParts::accept(SteadyTime now) {
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    Text &text = texts_.at(batch_calls_[i]);
    text.parts = batch_[i].number;
    text.chars = batch_[i].chars;
    text.next_write = now + text.terms.interval;
  }
  if (most_ > 0) most_ = most_ * 2 >= kPartsMax ? 0 : most_ * 2;
  is_alone_ = most_ > 0;
  wait_ = Micros{0};
  batch_.clear();
  batch_calls_.clear();
}

std::optional<JobId> StreamParts::refuse(StoreTrouble trouble, SteadyTime now) {
  std::optional<JobId> given_up;
  next_due_.reset();
  if (trouble != StoreTrouble::unstorable) {
    wait_ = std::clamp(wait_ * 2, kRefusedFirst, kRefusedLast);
    not_before_ = now + wait_;
  } else {
    // One text may be in the way of all: fewer of them, down to the one that is.
    if (was_batch_alone_ && batch_.size() == 1) {
      Text &text = texts_.at(batch_calls_[0]);
      text.is_given_up = true;
      given_up = text.terms.job;
      batch_.clear();
    } else {
      most_ = std::max<std::size_t>(1, batch_.size() / 4);
    }
  }
  look_again_at(now + kGatherWait);
  is_alone_ = true;
  put_back();
  return given_up;
}

}  // namespace agent_queue
