// Server-sent events out of bytes that come in pieces (WHATWG HTML, section 9.2.6): a BOM, comments, values over
// several lines, any of the three ends of lines. `id` and `retry` are for reconnecting and ignored. Pure, in linear
// time. Tested in test/unit/sse_test.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/wire/line_reader.hpp"

namespace agent_queue {

struct ServerEvent {
  std::string_view name;  // of its field `event`; empty: none
  std::string_view data;
};

class ServerEvents {
 public:
  // `event_bytes_max`: of the data of one event, and of one line.
  explicit ServerEvents(std::size_t event_bytes_max) : event_bytes_max_(event_bytes_max), lines_(event_bytes_max) {}

  // Takes bytes off `bytes` until an event is whole; false: they are used up, and more are needed. The event holds
  // until the next call.
  bool next(std::string_view &bytes, ServerEvent &event);

  // After the last byte: the event that lacks only the line that would have ended it. The specification drops it, since
  // it may be cut; the caller has to look whether its data are whole.
  bool last(ServerEvent &event);

  // An event was larger than allowed: there are no more events.
  bool is_overlong() const { return is_overlong_ || lines_.is_overlong(); }

 private:
  bool end_event(ServerEvent &event);
  void take_line(std::string_view line);
  void append_data(std::string_view value);

  std::size_t event_bytes_max_;
  LineReader lines_;
  std::string name_;
  std::string data_;
  bool has_data_ = false;
  bool was_given_ = false;  // name_ and data_ are of the event that was given last
  bool is_first_line_ = true;
  bool is_overlong_ = false;
};

}  // namespace agent_queue
