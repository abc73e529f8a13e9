// Reads a streamed answer piece by piece: one reader per call, made by its wire format. Pure; expected failures are
// values. Tested in test/unit/*_stream_test.cpp, each format with its stream cut at every byte, and fuzzed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/provider/wire_format.hpp"

namespace agent_queue {

// How the stream stood when it ended, well or badly.
struct StreamEnd {
  Reply reply;                 // the answer; or the Failure: an error event, a garbled event, a stream that was cut
  std::optional<Usage> usage;  // of a failure: what the provider had reported until then (may lack the output)
};

class StreamReader {
 public:
  virtual ~StreamReader() = default;

  // The next bytes of the body, cut anywhere; any bytes at all. Memory is bounded by the transport's bound of a body.
  virtual void feed(std::string_view bytes) = 0;

  // A first token has come: text, reasoning or a part of a tool call. Pings, comments and empty chunks are none.
  // A body that is no stream has begun with its first byte; after finish() no more if it was a failure.
  virtual bool has_begun() const = 0;

  // The text that has come since this was last called: clean UTF-8, whole characters only. Once more after finish(),
  // which may read a last event, or an answer that came in one piece: then all of it together is Answer::text.
  virtual std::string take_text() = 0;

  // The provider said that this was all: whatever else the connection brings does not matter any more.
  virtual bool is_finished() const = 0;

  // When no more bytes come. `is_cut`: the connection ended otherwise than HTTP says. Once.
  virtual StreamEnd finish(bool is_cut, std::string_view secret, WallTime now) = 0;
};

}  // namespace agent_queue
