// Lines and server-sent events out of bytes that are cut anywhere.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/wire/line_reader.hpp"
#include "core/wire/sse.hpp"

namespace agent_queue {
namespace {

constexpr std::size_t kBytesMax = 1000;

// "name=data;" of each event.
void read_into(std::string &seen, ServerEvents &events, std::string_view bytes) {
  ServerEvent event;
  while (events.next(bytes, event)) seen.append(event.name).append("=").append(event.data).append(";");
}

std::string events_of(std::string_view bytes) {
  ServerEvents events(kBytesMax);
  std::string seen;
  read_into(seen, events, bytes);
  return seen;
}

std::vector<std::string> lines_of(std::vector<std::string_view> pieces, std::size_t bytes_max = kBytesMax) {
  LineReader lines(bytes_max);
  std::vector<std::string> seen;
  for (std::string_view piece : pieces)
    while (const auto line = lines.next(piece)) seen.emplace_back(*line);
  return seen;
}

using Lines = std::vector<std::string>;

TEST(LineReader, EndsLinesWithEachOfTheThreeEnds) {
  EXPECT_EQ(lines_of({"a\nb\rc\r\nd\n\re"}), (Lines{"a", "b", "c", "d", ""}));
}

TEST(LineReader, TakesACrLfThatIsCutInTheMiddleForOneEnd) {
  EXPECT_EQ(lines_of({"a\r", "\nb\r", "c\r", "", "\n\n"}), (Lines{"a", "b", "c", ""}));
}

TEST(LineReader, PutsTogetherWhatIsCut) {
  EXPECT_EQ(lines_of({"ab", "", "c", "d\ne", "f\n"}), (Lines{"abcd", "ef"}));
}

TEST(LineReader, ShowsTheLineThatHasNotEnded) {
  LineReader lines(kBytesMax);
  std::string_view bytes = "a\nbc";
  EXPECT_EQ(lines.next(bytes), "a");
  EXPECT_EQ(lines.next(bytes), std::nullopt);
  EXPECT_EQ(lines.unfinished(), "bc");
  bytes = "\n";
  EXPECT_EQ(lines.next(bytes), "bc");
  EXPECT_EQ(lines.unfinished(), "");
}

TEST(LineReader, GivesNoLineMoreAfterOneThatIsTooLong) {
  EXPECT_EQ(lines_of({"abcd\n", "efghi\n", "j\n"}, 4), (Lines{"abcd"}));
  EXPECT_EQ(lines_of({"ab", "cd", "e", "\nf\n"}, 4), Lines{});
}

TEST(ServerEvents, JoinsTheLinesOfDataAndNamesTheEvent) {
  EXPECT_EQ(events_of("event: add\ndata: 1\ndata:2\ndata:  3\n\n"), "add=1\n2\n 3;");
}

TEST(ServerEvents, PassesOverCommentsAndOtherFields) {
  EXPECT_EQ(events_of(": keep-alive\n\nid: 7\nretry: 10\nnonsense\ndata: a\n: b\n\n"), "=a;");
}

TEST(ServerEvents, TakesAnEventWithoutDataForNone) {
  EXPECT_EQ(events_of("event: lost\n\n\n\ndata: a\n\n"), "=a;");
}

TEST(ServerEvents, TakesAFieldWithoutAColonForAnEmptyOne) {
  EXPECT_EQ(events_of("data\ndata\n\ndata:\n\n"), "=\n;=;");
}

TEST(ServerEvents, StripsOneByteOrderMarkAtTheStart) {
  EXPECT_EQ(events_of("\xEF\xBB\xBF"
                      "data: a\n\n\xEF\xBB\xBF"
                      "data: b\n\n"),
            "=a;");
}

TEST(ServerEvents, GivesTheSameWhereverItIsCut) {
  const std::string stream =
      "\xEF\xBB\xBF"
      "data: a\r\ndata: b\r\n\r\n: c\n\nevent: d\rdata: \xE2\x82\xAC\r\rdata: e\n\nevent: f\ndata: g\n\n";
  const std::string whole = events_of(stream);
  ASSERT_EQ(whole, "=a\nb;d=\xE2\x82\xAC;=e;f=g;");
  ServerEvents bytewise(kBytesMax);
  std::string seen_bytewise;
  for (std::size_t at = 0; at < stream.size(); ++at) {
    ServerEvents events(kBytesMax);
    std::string seen;
    read_into(seen, events, std::string_view(stream).substr(0, at));
    read_into(seen, events, std::string_view(stream).substr(at));
    EXPECT_EQ(seen, whole) << at;
    read_into(seen_bytewise, bytewise, std::string_view(stream).substr(at, 1));
  }
  EXPECT_EQ(seen_bytewise, whole);
}

TEST(ServerEvents, GivesTheLastEventThatLacksItsEndOnlyWhenAsked) {
  ServerEvents events(kBytesMax);
  std::string seen;
  read_into(seen, events, "data: a\n\nevent: x\ndata: b\ndata: c");
  EXPECT_EQ(seen, "=a;");
  ServerEvent event;
  ASSERT_TRUE(events.last(event));
  EXPECT_EQ(event.name, "x");
  EXPECT_EQ(event.data, "b\nc");
}

TEST(ServerEvents, HasNoLastEventAfterAWholeOne) {
  ServerEvents events(kBytesMax);
  std::string seen;
  read_into(seen, events, "data: a\n\n");
  ServerEvent event;
  EXPECT_FALSE(events.last(event));
}

TEST(ServerEvents, StopsAtAnEventThatIsTooLarge) {
  ServerEvents events(10);
  std::string seen;
  read_into(seen, events, "data: 1\n\ndata: 2345\ndata: 6789\ndata: 0\n\n");
  EXPECT_EQ(seen, "=1;");
  EXPECT_TRUE(events.is_overlong());
  read_into(seen, events, "data: 2\n\n");
  EXPECT_EQ(seen, "=1;");
  ServerEvent event;
  EXPECT_FALSE(events.last(event));
}

TEST(ServerEvents, StopsAtALineWithoutAnEnd) {
  ServerEvents events(10);
  std::string seen;
  for (int i = 0; i < 5; ++i) read_into(seen, events, "data");
  EXPECT_TRUE(events.is_overlong());
  EXPECT_EQ(seen, "");
}

}  // namespace
}  // namespace agent_queue
