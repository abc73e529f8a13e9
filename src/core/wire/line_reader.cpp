// Lines. Tested in test/unit/sse_test.cpp.
#include "core/wire/line_reader.hpp"

#include <algorithm>

namespace agent_queue {

std::optional<std::string_view> LineReader::next(std::string_view &bytes) {
  if (was_given_) {
    line_.clear();
    was_given_ = false;
  }
  if (skips_line_feed_ && !bytes.empty()) {
    if (bytes.front() == '\n') bytes.remove_prefix(1);
    skips_line_feed_ = false;
  }
  if (bytes.empty()) return std::nullopt;
  const auto *end = std::find_if(bytes.begin(), bytes.end(), [](char c) { return c == '\n' || c == '\r'; });
  const std::string_view piece = bytes.substr(0, static_cast<std::size_t>(end - bytes.begin()));
  const bool is_ended = end != bytes.end();
  skips_line_feed_ = is_ended && *end == '\r';
  bytes.remove_prefix(piece.size() + (is_ended ? 1 : 0));
  if (!keep(piece)) return std::nullopt;
  if (!is_ended) {
    line_ += piece;
    return std::nullopt;
  }
  if (line_.empty()) return piece;
  line_ += piece;
  was_given_ = true;
  return line_;
}

// False where the line has become too long.
bool LineReader::keep(std::string_view piece) {
  if (is_overlong_ || piece.size() > line_bytes_max_ - line_.size()) {
    is_overlong_ = true;
    line_ = std::string();
  }
  return !is_overlong_;
}

}  // namespace agent_queue
