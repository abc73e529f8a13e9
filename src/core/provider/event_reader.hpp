// What the formats share when they read a stream: from bytes to events, from events to the answer or the failure that
// they come to. A format says what one event brings, and puts its events together to the body that would have come
// without a stream; decode()'s own code reads that, so that both ways give the same answer.
//
// A body that is no stream (the server ignores `stream`, a proxy answers) is kept whole and goes to decode().
// Tested in test/unit/*_stream_test.cpp, fuzzed in test/fuzz/fuzz_*_stream.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/provider/stream_reader.hpp"
#include "core/wire/line_reader.hpp"
#include "core/wire/sse.hpp"

namespace agent_queue {

inline constexpr std::size_t kEventBytesMax = 16 << 20;  // of one event; images come in one

enum class Framing {
  server_events,
  json_lines,
};

// What one event brings.
struct Brought {
  std::string text;         // of the answer; clean
  bool is_token = false;    // text, reasoning or a part of a tool call
  bool is_answer = false;   // a part of the answer, if an empty one
  bool has_reason = false;  // why the answer ends here
  bool has_usage = false;   // all that is counted, until here
  bool is_last = false;     // nothing follows that matters
  bool is_error = false;    // an error in a shape of the format's own
};

class EventReader : public StreamReader {
 public:
  EventReader(const WireFormat &format, Framing framing);

  void feed(std::string_view bytes) final;
  bool has_begun() const final { return has_begun_; }
  std::string take_text() final;
  bool is_finished() const final { return end_ != End::open; }
  StreamEnd finish(bool is_cut, std::string_view secret, WallTime now) final;

 protected:
  // `event` is an object without the error that every format knows; it may be taken apart.
  virtual Brought take(Json &event, std::string_view name) = 0;

  // The body as it would have come in one piece. `text`: all that take() gave. Once.
  virtual Json assemble(std::string text) = 0;

  // decode() of that body.
  virtual Reply read(Json body, const HttpResponse &response, std::string_view secret) const = 0;

 private:
  enum class Form { unknown, events, document };
  enum class End { open, said, error, garbled, overlong };

  void find_form();
  void feed_events(std::string_view bytes);
  void feed_lines(std::string_view bytes);
  void feed_unfinished();
  void take_data(std::string_view data, std::string_view name);
  void note(const Brought &brought, std::string_view data);
  void stop(End end, std::string_view data);
  bool has_answer() const;
  bool take_array();
  StreamEnd finish_document(bool is_cut, std::string_view secret, WallTime now);
  Failure failure(bool is_cut, std::string_view secret, WallTime now) const;

  const WireFormat &format_;
  Framing framing_;
  Form form_;
  End end_ = End::open;
  LineReader lines_{kEventBytesMax};
  ServerEvents events_{kEventBytesMax};
  std::string kept_;  // of an unknown form: its start; of a document: all of it; of a bad event: its data
  std::string text_;
  std::size_t text_taken_ = 0;
  bool has_begun_ = false;
  bool is_answer_ = false;
  bool has_reason_ = false;
  bool has_usage_ = false;        // of any moment
  bool has_final_usage_ = false;  // with the reason or after it
};

}  // namespace agent_queue
