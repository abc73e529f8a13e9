// Ollama's streams: the recorded ones of fixtures/ollama cut everywhere, and those that break off or fail.
#include <gtest/gtest.h>

#include "unit/streamed.hpp"

namespace agent_queue {
namespace {

using decoded::kSecret;
using streamed::Ending;

const FormatUnderTest &ollama() {
  static const FormatUnderTest format("ollama");
  return format;
}

std::string line(const std::string &message_members, const std::string &more = "") {
  return R"({"model":"m","message":{"role":"assistant",)" + message_members + "}" + more + "}\n";
}
const std::string kText = line(R"("content":"a")");
const std::string kDone =
    line(R"("content":"")", R"(,"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":1)");

Answer answer(const std::string &stream) {
  return streamed::answer(ollama(), stream);
}
Failure failure(const std::string &stream, Ending ending = Ending::clean) {
  return streamed::failure(ollama(), stream, ending);
}

TEST(OllamaStreamEncode, AsksForAStreamOnlyWhereOneIsWanted) {
  AskedCall asked(ollama());
  asked.with_params(R"({"stream":true})");
  EXPECT_EQ(asked.member("stream"), "false");
  asked.with_params(R"({"stream":false})");
  asked.call.stream = true;
  EXPECT_EQ(asked.member("stream"), "true");
}

TEST(OllamaStream, GivesWhatTheSameAnswerGivesInOnePiece) {
  streamed::expect_streamed_equals_whole(ollama(), "stream_answer.txt", "answer.json");
  streamed::expect_streamed_equals_whole(ollama(), "stream_tool_call.txt", "tool_call.json");
  streamed::expect_streamed_equals_whole(ollama(), "stream_thinking.txt", "thinking.json");
}

TEST(OllamaStream, GivesTheSameWhereverItIsCut) {
  for (const char *file : {"stream_answer.txt", "stream_tool_call.txt", "stream_thinking.txt", "stream_error.txt"})
    streamed::expect_same_wherever_cut(ollama(), file);
}

TEST(OllamaStream, IsUncertainUntilItIsDone) {
  for (const char *file : {"stream_answer.txt", "stream_tool_call.txt", "stream_thinking.txt"}) {
    const std::string stream = ollama().fixture(file);
    const std::size_t end = streamed::end_of_line(stream, R"("done":true)");
    streamed::expect_prefixes(ollama(), stream, end, end);
  }
}

TEST(OllamaStream, FailsAsAnErrorInTheStreamSays) {
  const auto read = streamed::read(ollama(), {ollama().fixture("stream_error.txt")});
  EXPECT_EQ(decoded::failure_of(read.end.reply).kind, FailureClass::transient);
  EXPECT_EQ(decoded::failure_of(read.end.reply).message,
            "HTTP 200: an error was encountered while running the model: unexpected EOF");
  EXPECT_EQ(read.end.usage, std::nullopt);
  EXPECT_EQ(read.text, "Hel");
  EXPECT_TRUE(read.is_finished);
}

TEST(OllamaStream, IsFinishedWhereItIsDone) {
  EXPECT_FALSE(streamed::read(ollama(), {kText}).is_finished);
  EXPECT_TRUE(streamed::read(ollama(), {kText + kDone}).is_finished);
  EXPECT_EQ(answer(kText + kDone + kText + "rubbish\n").text, "a");
}

TEST(OllamaStream, HasBegunWithTheFirstTokenOfAnyKind) {
  for (const char *members :
       {R"("content":"a")", R"("content":"","thinking":"a")", R"("tool_calls":[{"function":{"name":"f"}}])"})
    EXPECT_TRUE(streamed::read(ollama(), {line(members)}).has_begun) << members;
  EXPECT_FALSE(streamed::read(ollama(), {"\n" + line(R"("content":"")") + kDone}).has_begun);
}

TEST(OllamaStream, HasNoUsageWhereNothingWasCounted) {
  EXPECT_FALSE(answer(kText + line(R"("content":"")", R"(,"done":true)")).usage_known);
}

TEST(OllamaStream, TakesAnAnswerInOneLineForAStreamOfOne) {
  const std::string body = dump_json(*parse_json(ollama().fixture("answer.json")));
  EXPECT_EQ(streamed::shown(streamed::read(ollama(), {body}).end.reply), streamed::shown(ollama().decode(200, body)));
}

TEST(OllamaStream, DecodesJsonOfSeveralLinesWhereAProxyAnswers) {
  const std::string body = ollama().fixture("answer.json");
  const auto read =
      streamed::read(ollama(), {"\n", std::string_view(body).substr(0, 9), std::string_view(body).substr(9)});
  EXPECT_EQ(streamed::shown(read.end.reply), streamed::shown(ollama().decode(200, body)));
  EXPECT_EQ(failure(body.substr(0, body.size() - 5), Ending::cut).kind, FailureClass::uncertain);
  EXPECT_EQ(failure("<html>\n<body>" + std::string(kSecret)).message,
            "HTTP 200: the answer is not JSON: <html>\n<body>[redacted]");
}

TEST(OllamaStreamHostile, ALineThatIsNoJsonObjectGarblesTheStream) {
  for (const char *bad : {"rubbish", "[1]", "3"}) {
    EXPECT_EQ(failure(kText + bad + "\n" + kDone).kind, FailureClass::garbled) << bad;
    EXPECT_EQ(failure(kText + bad + "\n" + kDone).message,
              std::string("HTTP 200: an event of the stream is no JSON object: ") + bad);
  }
}

TEST(OllamaStreamHostile, MembersOfWrongTypesAreNone) {
  EXPECT_EQ(answer("{\"message\":[]}\n" + line(R"("content":[1],"tool_calls":{},"thinking":3)", R"(,"done":"true")") +
                   kText + kDone)
                .text,
            "a");
}

TEST(OllamaStreamHostile, BrokenUtf8IsReplacedAlsoInTheFirstLine) {
  EXPECT_EQ(answer(line("\"content\":\"\xE2\x82\"") + line("\"content\":\"\xAC!\"") + kDone).text, "\uFFFD\uFFFD!");
}

TEST(OllamaStreamHostile, ManyLinesTakeLinearTime) {
  std::string stream;
  for (int i = 0; i < 50'000; ++i) stream += line(R"("tool_calls":[{"function":{"name":"f","arguments":{}}}])");
  EXPECT_EQ(answer(stream + kDone).tool_calls.size(), 50'000U);
}

}  // namespace
}  // namespace agent_queue
