// Lines out of bytes that come in pieces: ended by LF, CR or CRLF, cut anywhere, also between CR and LF.
// Pure, in linear time. Tested in test/unit/sse_test.cpp.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace agent_queue {

class LineReader {
 public:
  explicit LineReader(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  // The next line without its end, which is taken off `bytes`; none: `bytes` is used up, and more are needed. The view
  // holds until the next call and as long as `bytes` does.
  std::optional<std::string_view> next(std::string_view &bytes);

  // What has come of a line that has not ended.
  std::string_view unfinished() const { return was_given_ ? std::string_view() : std::string_view(line_); }

  // A line was longer than allowed: there are no more lines.
  bool is_overlong() const { return is_overlong_; }

 private:
  bool keep(std::string_view piece);

  std::size_t line_bytes_max_;
  std::string line_;              // the pieces of a line that came in several
  bool was_given_ = false;        // line_ was what next() gave last
  bool skips_line_feed_ = false;  // the last line ended with CR, which may be half of an end
  bool is_overlong_ = false;
};

}  // namespace agent_queue
