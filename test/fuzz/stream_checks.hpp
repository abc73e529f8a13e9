// For the fuzz targets of readers of streams: any bytes as a stream, cut at random, and what has to hold of whatever
// comes of them: the same as in one piece, a clean answer or a clean failure, and the text that was given on the way.
// The first byte says how the connection ended, the second sows the cuts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/provider/stream_reader.hpp"
#include "decode_checks.hpp"

namespace agent_queue::fuzz {

struct StreamRead {
  StreamEnd end;
  std::string text;
  bool has_begun = false;
  bool is_finished = false;
};

// Pieces of 0 to 31 bytes; `seed` 0: one piece.
inline StreamRead read_stream(const char *format, std::string_view bytes, bool is_cut, std::uint32_t seed) {
  const auto reader = find_wire_format(format)->open_stream();
  StreamRead read;
  do {
    seed = seed * 1'664'525 + (seed == 0 ? 0 : 1'013'904'223);
    const std::string_view piece = bytes.substr(0, seed == 0 ? bytes.size() : seed >> 27);
    bytes.remove_prefix(piece.size());
    const bool had_begun = reader->has_begun();
    const bool was_finished = reader->is_finished();
    reader->feed(piece);
    check(reader->has_begun() || !had_begun);
    check(reader->is_finished() || !was_finished);
    const std::string text = reader->take_text();
    check(is_clean_text(text));
    read.text += text;
  } while (!bytes.empty());
  read.has_begun = reader->has_begun();
  read.is_finished = reader->is_finished();
  read.end = reader->finish(is_cut, kSecret, WallTime());
  read.text += reader->take_text();
  return read;
}

inline void check_end(const StreamRead &read) {
  if (const auto *answer = std::get_if<Answer>(&read.end.reply)) {
    check_answer(*answer);
    check(read.text == answer->text && !read.end.usage);
    check(answer->usage_known || answer->usage == Usage());
  } else {
    check_failure(std::get<Failure>(read.end.reply));
  }
  Answer counted;
  counted.usage = read.end.usage.value_or(Usage());
  check_answer(counted);
}

inline void check_same(const StreamRead &one, const StreamRead &other) {
  check(one.text == other.text && one.end.usage == other.end.usage);
  check(one.is_finished == other.is_finished && one.end.reply.index() == other.end.reply.index());
  if (const auto *answer = std::get_if<Answer>(&one.end.reply)) {
    const auto &same = std::get<Answer>(other.end.reply);
    check(answer->tool_calls == same.tool_calls && answer->usage == same.usage);
    check(answer->finish_reason == same.finish_reason && answer->refusal == same.refusal);
  } else {
    const auto &failure = std::get<Failure>(one.end.reply);
    const auto &same = std::get<Failure>(other.end.reply);
    check(failure.kind == same.kind && failure.message == same.message);
  }
}

inline void check_stream(const char *format, const std::uint8_t *bytes, std::size_t size) {
  if (size < 2) return;
  const std::string_view stream(reinterpret_cast<const char *>(bytes) + 2, size - 2);
  const bool is_cut = bytes[0] % 2 == 1;
  const StreamRead whole = read_stream(format, stream, is_cut, 0);
  const StreamRead parted = read_stream(format, stream, is_cut, bytes[1] + 1U);
  check_end(whole);
  check_end(parted);
  check_same(whole, parted);
}

}  // namespace agent_queue::fuzz
