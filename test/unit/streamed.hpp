// For tests of readers of streams: a stream read in pieces, and what has to hold of every stream wherever it is cut.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/provider/stream_reader.hpp"
#include "core/wire/text_clean.hpp"
#include "unit/format_under_test.hpp"

namespace agent_queue::streamed {

enum class Ending { clean, cut };

struct Read {
  StreamEnd end;
  std::string text;        // all that take_text() gave before the end
  bool has_begun = false;  // before the end
  bool has_begun_at_end = false;
  bool is_finished = false;
};

inline Read read(const FormatUnderTest &format, const std::vector<std::string_view> &pieces,
                 Ending ending = Ending::clean) {
  const auto reader = format.format().open_stream();
  Read read;
  for (const std::string_view piece : pieces) {
    reader->feed(piece);
    const std::string text = reader->take_text();
    EXPECT_TRUE(is_clean_text(text));
    read.text += text;
  }
  read.has_begun = reader->has_begun();
  read.is_finished = reader->is_finished();
  read.end = reader->finish(ending == Ending::cut, decoded::kSecret, decoded::kNow);
  read.has_begun_at_end = reader->has_begun();
  return read;
}

inline Answer answer(const FormatUnderTest &format, std::string_view stream) {
  return decoded::answer_of(read(format, {stream}).end.reply);
}
inline Failure failure(const FormatUnderTest &format, std::string_view stream, Ending ending = Ending::clean) {
  return decoded::failure_of(read(format, {stream}, ending).end.reply);
}

inline std::string shown(const Usage &usage) {
  std::string text;
  for (const std::int64_t part : {usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning})
    text += std::to_string(part) + ' ';
  return text;
}

// All that there is in a reply, to be compared.
inline std::string shown(const Reply &reply) {
  if (const auto *failure = std::get_if<Failure>(&reply))
    return "failure " + std::to_string(static_cast<int>(failure->kind)) + ' ' + failure->message;
  const auto &answer = std::get<Answer>(reply);
  return "answer " + answer.text + '|' + answer.finish_reason + '|' + answer.model + '|' + answer.refusal + '|' +
         answer.reasoning + '|' + dump_json(answer.tool_calls) + '|' +
         (answer.usage_known ? shown(answer.usage) : "unknown");
}
inline std::string shown(const StreamEnd &end) {
  return shown(end.reply) + (end.usage ? " usage " + shown(*end.usage) : "");
}

// One fixture as a stream, another as the same answer in one piece.
inline void expect_streamed_equals_whole(const FormatUnderTest &format, const char *stream, const char *body) {
  const Read streamed = read(format, {format.fixture(stream)});
  EXPECT_EQ(shown(streamed.end.reply), shown(format.decode(200, format.fixture(body)))) << stream;
  if (const auto *answer = std::get_if<Answer>(&streamed.end.reply)) {
    EXPECT_EQ(streamed.text, answer->text) << stream;
  }
}

inline void expect_same_wherever_cut(const FormatUnderTest &format, const char *file) {
  const std::string stream = format.fixture(file);
  const std::string_view bytes = stream;
  const Read whole = read(format, {bytes});
  std::vector<std::string_view> single;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const Read parted = read(format, {bytes.substr(0, at), bytes.substr(at)});
    ASSERT_EQ(shown(parted.end), shown(whole.end)) << file << " cut at " << at;
    ASSERT_EQ(parted.text, whole.text) << file << " cut at " << at;
    single.push_back(bytes.substr(at, 1));
  }
  const Read bytewise = read(format, single);
  EXPECT_EQ(shown(bytewise.end), shown(whole.end)) << file;
  EXPECT_EQ(bytewise.text, whole.text) << file;
}

// Where the line ends that holds `mark`: from there on, what it says is known.
inline std::size_t end_of_line(std::string_view stream, std::string_view mark) {
  EXPECT_NE(stream.find(mark), std::string_view::npos) << mark;
  return stream.find_first_of("\r\n", stream.find(mark));
}

// What comes of a stream whose connection is cut after each of its bytes: before `answer_from` nobody knows, from then
// on it is the answer, with its usage from `usage_from` on.
inline void expect_prefixes(const FormatUnderTest &format, const std::string &stream, std::size_t answer_from,
                            std::size_t usage_from) {
  const std::string_view bytes = stream;
  const Answer whole = answer(format, bytes);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const Read prefix = read(format, {bytes.substr(0, size)}, Ending::cut);
    const auto *reply = std::get_if<Answer>(&prefix.end.reply);
    ASSERT_EQ(reply != nullptr, size >= answer_from) << size << ": " << shown(prefix.end);
    ASSERT_TRUE(whole.text.starts_with(prefix.text)) << size;
    if (reply == nullptr) {
      ASSERT_EQ(std::get<Failure>(prefix.end.reply).kind, FailureClass::uncertain) << size;
      continue;
    }
    ASSERT_EQ(reply->usage_known, size >= usage_from) << size;
    ASSERT_EQ(reply->usage, size >= usage_from ? whole.usage : Usage()) << size;
    ASSERT_EQ(reply->text, whole.text) << size;
    ASSERT_EQ(reply->finish_reason, whole.finish_reason) << size;
  }
}

}  // namespace agent_queue::streamed
