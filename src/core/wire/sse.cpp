// Server-sent events. Tested in test/unit/sse_test.cpp.
#include "core/wire/sse.hpp"

namespace agent_queue {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

bool ServerEvents::next(std::string_view &bytes, ServerEvent &event) {
  if (was_given_) {
    name_.clear();
    data_.clear();
    was_given_ = false;
  }
  while (const auto line = lines_.next(bytes)) {
    if (is_overlong()) return false;
    if (line->empty()) {
      if (end_event(event)) return true;
    } else {
      take_line(*line);
    }
    is_first_line_ = false;
  }
  return false;
}

bool ServerEvents::last(ServerEvent &event) {
  if (is_overlong()) return false;
  if (const std::string_view line = lines_.unfinished(); !line.empty()) take_line(line);
  return end_event(event);
}

// An event without data is none.
bool ServerEvents::end_event(ServerEvent &event) {
  if (is_overlong_) return false;
  if (!has_data_) {
    name_.clear();
    return false;
  }
  event = {name_, data_};
  has_data_ = false;
  was_given_ = true;
  return true;
}

// "field: value", with or without the blank; ": comment"; "field".
void ServerEvents::take_line(std::string_view line) {
  if (is_first_line_ && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  const std::size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data")
    append_data(value);
  else if (field == "event")
    name_ = value;
}

void ServerEvents::append_data(std::string_view value) {
  if (value.size() + 1 > event_bytes_max_ - data_.size()) {
    is_overlong_ = true;
    data_ = std::string();
    return;
  }
  if (has_data_) data_ += '\n';
  data_ += value;
  has_data_ = true;
}

}  // namespace agent_queue
