// Anthropic's streams: the recorded ones of fixtures/anthropic cut everywhere, and those that break off or fail.
#include <gtest/gtest.h>

#include "unit/streamed.hpp"

namespace agent_queue {
namespace {

using decoded::kSecret;
using streamed::Ending;

const FormatUnderTest &anthropic() {
  static const FormatUnderTest format("anthropic");
  return format;
}

std::string event(std::string json) {
  std::erase(json, '\n');
  return "data: " + json + "\n\n";
}
std::string block(const std::string &members, int index = 0) {
  return event(R"({"type":"content_block_start","index":)" + std::to_string(index) + R"(,"content_block":{)" + members +
               "}}");
}
std::string delta(const std::string &members, int index = 0) {
  return event(R"({"type":"content_block_delta","index":)" + std::to_string(index) + R"(,"delta":{)" + members + "}}");
}
std::string input(const std::string &escaped_json, int index = 0) {
  return delta(R"("type":"input_json_delta","partial_json":")" + escaped_json + '"', index);
}
const std::string kStart = event(
    R"({"type":"message_start","message":{"model":"m","content":[],"usage":{"input_tokens":12,"output_tokens":1}}})");
const std::string kText = delta(R"("type":"text_delta","text":"a")");
const std::string kReason =
    event(R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}})");
const std::string kStop = event(R"({"type":"message_stop"})");

Answer answer(const std::string &stream) {
  return streamed::answer(anthropic(), stream);
}
Failure failure(const std::string &stream, Ending ending = Ending::clean) {
  return streamed::failure(anthropic(), stream, ending);
}

TEST(AnthropicStreamEncode, AsksForAStreamOnlyWhereOneIsWanted) {
  AskedCall asked(anthropic());
  asked.with_params(R"({"stream":true})");
  EXPECT_EQ(asked.member("stream"), "missing");
  asked.with_params(R"({"stream":false})");
  asked.call.stream = true;
  EXPECT_EQ(asked.member("stream"), "true");
}

TEST(AnthropicStream, GivesWhatTheSameAnswerGivesInOnePiece) {
  streamed::expect_streamed_equals_whole(anthropic(), "stream_answer.txt", "answer.json");
  streamed::expect_streamed_equals_whole(anthropic(), "stream_tool_call.txt", "tool_call.json");
  streamed::expect_streamed_equals_whole(anthropic(), "stream_thinking.txt", "thinking.json");
}

TEST(AnthropicStream, GivesTheSameWhereverItIsCut) {
  for (const char *file : {"stream_answer.txt", "stream_tool_call.txt", "stream_thinking.txt", "stream_error.txt"})
    streamed::expect_same_wherever_cut(anthropic(), file);
}

TEST(AnthropicStream, IsUncertainUntilTheReasonAndTheCountsHaveCome) {
  for (const char *file : {"stream_answer.txt", "stream_tool_call.txt", "stream_thinking.txt"}) {
    const std::string stream = anthropic().fixture(file);
    const std::size_t end = streamed::end_of_line(stream, R"(data: {"type":"message_delta")");
    streamed::expect_prefixes(anthropic(), stream, end, end);
  }
}

TEST(AnthropicStream, FailsAsAnErrorEventSaysWithTheUsageSoFar) {
  const auto read = streamed::read(anthropic(), {anthropic().fixture("stream_error.txt")});
  EXPECT_EQ(decoded::failure_of(read.end.reply).kind, FailureClass::transient);
  EXPECT_EQ(decoded::failure_of(read.end.reply).message, "HTTP 200: Overloaded");
  EXPECT_EQ(read.end.usage, (Usage{.input = 12, .output = 1}));
  EXPECT_EQ(read.text, "Hello! ");
  EXPECT_TRUE(read.is_finished);
}

TEST(AnthropicStream, ClassifiesEveryTypeOfError) {
  const auto kind = [](const char *type) {
    return failure(kStart + R"(event: error
data: {"type":"error","error":{"type":")" +
                   type + "\",\"message\":\"m\"}}\n\n")
        .kind;
  };
  EXPECT_EQ(kind("overloaded_error"), FailureClass::transient);
  EXPECT_EQ(kind("api_error"), FailureClass::transient);
  EXPECT_EQ(kind("timeout_error"), FailureClass::transient);
  EXPECT_EQ(kind("rate_limit_error"), FailureClass::rate_limited);
  EXPECT_EQ(kind("invalid_request_error"), FailureClass::invalid);
  EXPECT_EQ(kind("authentication_error"), FailureClass::credential);
  EXPECT_EQ(kind("billing_error"), FailureClass::quota);
}

TEST(AnthropicStream, TellsTheUsageOfAStreamThatWasCut) {
  const auto read = streamed::read(anthropic(), {kStart + kText}, Ending::cut);
  EXPECT_EQ(decoded::failure_of(read.end.reply).kind, FailureClass::uncertain);
  EXPECT_EQ(read.end.usage, (Usage{.input = 12, .output = 1}));
}

TEST(AnthropicStream, DoesNotTakeTheFirstGuessForTheUsage) {
  const std::string reason = event(R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})");
  EXPECT_FALSE(answer(kStart + kText + reason + kStop).usage_known);
}

TEST(AnthropicStream, LetsLaterCountsReplaceEarlierOnes) {
  const std::string reason = event(
      R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},
          "usage":{"input_tokens":5,"cache_read_input_tokens":7,"cache_creation_input_tokens":null,"output_tokens":9}})");
  EXPECT_EQ(answer(kStart + kText + event(R"({"type":"message_delta","delta":{},"usage":{"output_tokens":4}})") +
                   reason + kStop)
                .usage,
            (Usage{.input = 5, .cache_read = 7, .output = 9}));
}

TEST(AnthropicStream, KeepsTheExplanationOfARefusal) {
  const std::string details = R"("stop_details":{"type":"refusal","explanation":"not this"})";
  const std::string usage = R"("usage":{"output_tokens":1})";
  const auto end = [&](const std::string &more) {
    return event(R"({"type":"message_delta","delta":{"stop_reason":"refusal")" + more + "}," + usage + "}");
  };
  EXPECT_EQ(answer(kStart + kText + end("," + details) + kStop).refusal, "not this");
  EXPECT_EQ(answer(event(R"({"type":"message_start","message":{"model":"m",)" + details + "}}") + end("")).refusal,
            "not this");
  EXPECT_EQ(answer(kStart + kText + end(R"(,"stop_details":null)") + kStop).refusal, "");
}

TEST(AnthropicStream, HasBegunWithTheFirstTokenOfAnyKind) {
  for (const std::string &first :
       {kText, delta(R"("type":"thinking_delta","thinking":"a")"), block(R"("type":"tool_use","id":"i","name":"f")"),
        block(R"("type":"text","text":"a")"), input("{"), block(R"("type":"thinking","thinking":"")"),
        block(R"("type":"redacted_thinking","data":"d")"), delta(R"("type":"signature_delta","signature":"s")")})
    EXPECT_TRUE(streamed::read(anthropic(), {kStart + first}).has_begun) << first;
}

TEST(AnthropicStream, HasNotBegunWithPingsAndEmptyBlocks) {
  EXPECT_FALSE(streamed::read(anthropic(), {kStart + event(R"({"type":"ping"})") + block(R"("type":"text","text":"")") +
                                            delta(R"("type":"thinking_delta","thinking":"")", 1)})
                   .has_begun);
}

TEST(AnthropicStream, IsFinishedByTheStop) {
  EXPECT_FALSE(streamed::read(anthropic(), {kStart + kText + kReason}).is_finished);
  EXPECT_TRUE(streamed::read(anthropic(), {kStart + kText + kReason + kStop}).is_finished);
}

TEST(AnthropicStream, ReadsAnAnswerWithoutContent) {
  EXPECT_EQ(answer(kStart + kReason + kStop).text, "");
  EXPECT_EQ(answer(kStart + kReason + kStop).finish_reason, "stop");
}

TEST(AnthropicStream, HoldsNoAnswerWhereOnlyTheStopCame) {
  EXPECT_EQ(failure(kStop).kind, FailureClass::garbled);
}

TEST(AnthropicStream, PassesOverToolsOfTheServerAndEventsToCome) {
  EXPECT_EQ(streamed::shown(
                streamed::read(anthropic(), {kStart + block(R"("type":"server_tool_use","id":"s","name":"web")", 1) +
                                             input("{}", 1) + event(R"({"type":"news"})") + kText + kReason})
                    .end.reply),
            "answer a|stop|m|||null|12 0 0 9 0 ");
}

TEST(AnthropicStream, TakesTheInputFromTheStartOfABlockWhereNoPiecesCome) {
  const std::string use = block(R"("type":"tool_use","id":"i","name":"f","input":{"x":1})");
  EXPECT_EQ(dump_json(answer(kStart + use + kReason).tool_calls),
            R"([{"function":{"arguments":"{\"x\":1}","name":"f"},"id":"i","type":"function"}])");
}

TEST(AnthropicStream, PassesAnInputThatTheBoundOfTheOutputCutAsItCame) {
  const std::string use = block(R"("type":"tool_use","id":"i","name":"f","input":{})");
  EXPECT_EQ(dump_json(answer(kStart + use + input(R"({\"city\":\"Bo)") + kReason).tool_calls),
            R"([{"function":{"arguments":"{\"city\":\"Bo","name":"f"},"id":"i","type":"function"}])");
}

TEST(AnthropicStream, DecodesPlainJsonWhereTheServerIgnoresTheWishForAStream) {
  const std::string body = anthropic().fixture("tool_call.json");
  EXPECT_EQ(streamed::shown(streamed::read(anthropic(), {body}).end.reply),
            streamed::shown(anthropic().decode(200, body)));
  EXPECT_EQ(failure(anthropic().fixture("error_overloaded.json")).kind, FailureClass::transient);
}

TEST(AnthropicStreamHostile, MembersOfWrongTypesAreNone) {
  EXPECT_EQ(
      answer(
          event(R"({"type":"message_start","message":[]})") + event(R"({"type":"content_block_start"})") +
          event(R"({"type":"content_block_delta","index":-1,"delta":{"type":"input_json_delta","partial_json":4}})") +
          event(R"({"type":"message_delta","delta":4,"usage":"x"})") + event(R"({"type":{}})") + kText + kReason)
          .text,
      "a");
}

TEST(AnthropicStreamHostile, ManyBlocksTakeLinearTime) {
  std::string stream = kStart;
  for (int i = 0; i < 100'000; ++i)
    stream += block(R"("type":"tool_use","id":"i","name":"f","input":{})", i - 50'000) + input("{}", i - 50'000);
  EXPECT_EQ(answer(stream + kReason).tool_calls.size(), 100'000U);
}

}  // namespace
}  // namespace agent_queue
