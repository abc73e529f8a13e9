// The streamed calls under way: reads their answers as they come, knows when the first token came, hands their text on
// as text so far, and ends those that must not go on. Tested in test/unit/streams_test.cpp.
//
// The transport knows bytes only. A provider that keeps a queued request alive with comments or blank lines sends bytes
// and says nothing: so first_byte_timeout bounds the first token here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/provider/stream_reader.hpp"
#include "engine/attempt.hpp"
#include "engine/stream_parts.hpp"
#include "ports/transport.hpp"

namespace agent_queue {

class Streams {
 public:
  // A call that is submitted with HttpRequest::stream.
  void open(CallId id, const Attempt &attempt, std::unique_ptr<StreamReader> reader, SteadyTime now);

  // The call was sent only now: it had to wait for its access token. Calls that are not streamed are ignored.
  void send(CallId id, SteadyTime now);

  // Takes what the transport's last poll() has brought. Calls that have to end are cancelled, and their ends, as the
  // transport would tell them, appended to `ended`: without a first token for too long; or finished, as the provider
  // says, on a connection that does not end.
  void follow(Transport &transport, std::vector<CallEnd> &ended, SteadyTime now);

  // The call has ended: what became of its stream. nullopt: it had none.
  std::optional<StreamedEnd> close(const CallEnd &end, std::string_view secret, WallTime now);
  // The call was cancelled. True: text so far may be stored.
  bool forget(CallId id);

  StreamParts &parts() { return parts_; }
  const StreamParts &parts() const { return parts_; }
  // When follow() has something to do, whatever comes; nullopt: never.
  std::optional<SteadyTime> next_due() const { return next_due_; }

 private:
  struct Stream {
    std::unique_ptr<StreamReader> reader;
    SteadyTime opened;
    Micros first_token_timeout{0};
    std::optional<Micros> first_token;  // after `opened`
    std::optional<SteadyTime> due;      // to be ended then
    std::size_t bytes = 0;
    bool is_kept = false;  // its text goes to parts_
  };

  void read(const CallProgress &progress);
  void set_due(Stream &stream, SteadyTime due);
  void end_overdue(Transport &transport, std::vector<CallEnd> &ended, SteadyTime now);

  std::unordered_map<std::uint64_t, Stream> streams_;  // by CallId
  StreamParts parts_;
  std::vector<CallProgress> progress_;  // scratch
  std::optional<SteadyTime> next_due_;  // may be early, never late
};

}  // namespace agent_queue
