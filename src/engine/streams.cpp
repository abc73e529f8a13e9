#include "engine/streams.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

namespace agent_queue {

namespace {

// After the last event of a stream its connection ends, and can be used again, at once. One that does not must not hold
// up the answer.
constexpr Micros kFarewell{std::chrono::milliseconds(100)};

bool is_good(const HttpResponse &response) {
  return response.status >= 200 && response.status < 300;
}

std::string no_first_token(Micros after, std::size_t bytes) {
  char text[120];
  std::snprintf(text, sizeof(text),
                "no first token of the streamed answer within %.3f s: %zu bytes came that say nothing",
                static_cast<double>(after.count()) / 1e6, bytes);
  return text;
}

}  // namespace

void Streams::open(CallId id, const Attempt &attempt, std::unique_ptr<StreamReader> reader, SteadyTime now) {
  Stream &stream = streams_[id.value];
  stream.reader = std::move(reader);
  stream.opened = now;
  stream.first_token_timeout = attempt.provider->timeouts.first_byte;
  stream.is_kept = attempt.type->stream_interval.has_value();
  if (stream.is_kept)
    parts_.open(id, {.job = attempt.job.id,
                     .started_at = attempt.job.started_at,
                     .interval = *attempt.type->stream_interval,
                     .is_told = attempt.type->stream_notify});
}

void Streams::send(CallId id, SteadyTime now) {
  if (const auto it = streams_.find(id.value); it != streams_.end()) it->second.opened = now;
}

void Streams::follow(Transport &transport, std::vector<CallEnd> &ended, SteadyTime now) {
  if (streams_.empty()) return next_due_.reset();
  progress_.clear();
  transport.take_progress(progress_);
  for (const CallProgress &progress : progress_) read(progress);
  if (next_due_ && *next_due_ <= now) end_overdue(transport, ended, now);
}

void Streams::set_due(Stream &stream, SteadyTime due) {
  stream.due = due;
  next_due_ = next_due_ ? std::min(*next_due_, due) : due;
}

void Streams::read(const CallProgress &progress) {
  const auto it = streams_.find(progress.id.value);
  if (it == streams_.end()) return;
  Stream &stream = it->second;
  // Until something comes the transport watches, which knows how long it took to send the request.
  if (stream.bytes == 0) set_due(stream, progress.sent_at + stream.first_token_timeout);
  stream.bytes += progress.bytes.size();
  if (stream.reader->is_finished()) return;
  stream.reader->feed(progress.bytes);
  if (!stream.first_token && stream.reader->has_begun()) {
    stream.first_token = progress.at - stream.opened;
    stream.due.reset();
  }
  if (stream.is_kept) parts_.add(progress.id, stream.reader->take_text(), progress.at);
  if (stream.reader->is_finished()) set_due(stream, progress.at + kFarewell);
}

void Streams::end_overdue(Transport &transport, std::vector<CallEnd> &ended, SteadyTime now) {
  next_due_.reset();
  for (auto &[id, stream] : streams_) {
    if (!stream.due) continue;
    if (*stream.due > now) {
      set_due(stream, *stream.due);
      continue;
    }
    CallEnd end;
    end.id = CallId{id};
    end.request_sent = true;
    end.time_total = now - stream.opened;
    if (stream.reader->is_finished()) {
      end.response.status = 200;
    } else {
      end.error = TransportError::first_byte_timeout;
      end.message = no_first_token(stream.first_token_timeout, stream.bytes);
    }
    stream.due.reset();
    transport.forget(end.id);
    ended.push_back(std::move(end));
  }
}

std::optional<StreamedEnd> Streams::close(const CallEnd &end, std::string_view secret, WallTime now) {
  const auto it = streams_.find(end.id.value);
  if (it == streams_.end()) return std::nullopt;
  const Stream stream = std::move(it->second);
  streams_.erase(it);
  StreamedEnd closed;
  closed.first_token = stream.first_token;
  closed.has_parts = parts_.close(end.id);
  const bool is_whole = end.error == TransportError::none ? is_good(end.response) : stream.reader->is_finished();
  if (is_whole || stream.bytes > 0) closed.end = stream.reader->finish(!is_whole, secret, now);
  if (!stream.reader->has_begun()) closed.first_token.reset();  // it was no stream, but a refusal in one piece
  return closed;
}

bool Streams::forget(CallId id) {
  streams_.erase(id.value);
  return parts_.close(id);
}

}  // namespace agent_queue
