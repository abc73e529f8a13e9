// OpenAI's streams: the recorded ones of fixtures/openai cut everywhere, what compatible servers do differently, and
// streams that break off, fail or are hostile.
#include <gtest/gtest.h>

#include "unit/streamed.hpp"

namespace agent_queue {
namespace {

using decoded::kSecret;
using streamed::Ending;

const FormatUnderTest &openai() {
  static const FormatUnderTest format("openai");
  return format;
}

std::string chunk(std::string json) {
  std::erase(json, '\n');
  return "data: " + json + "\n\n";
}
std::string delta(const std::string &members, const std::string &reason = "null") {
  return chunk(R"({"model":"m","choices":[{"index":0,"delta":{)" + members + R"(},"finish_reason":)" + reason + "}]}");
}
std::string fragments(const std::string &list) {
  return delta(R"("tool_calls":)" + list);
}
const std::string kDone = "data: [DONE]\n\n";
const std::string kStop = delta("", R"("stop")");

Answer answer(const std::string &stream) {
  return streamed::answer(openai(), stream);
}
Failure failure(const std::string &stream, Ending ending = Ending::clean) {
  return streamed::failure(openai(), stream, ending);
}
std::string calls(const std::string &stream) {
  return dump_json(answer(stream + kStop + kDone).tool_calls);
}

// ---- encode

TEST(OpenAiStreamEncode, AsksForAStreamWithItsUsage) {
  AskedCall asked(openai());
  asked.call.stream = true;
  asked.with_params(R"({"stream":false,"stream_options":{"include_usage":false},"temperature":0})");
  EXPECT_EQ(asked.member("stream"), "true");
  EXPECT_EQ(asked.member("stream_options"), R"({"include_usage":true})");
  EXPECT_EQ(asked.member("temperature"), "0");
}

TEST(OpenAiStreamEncode, SaysNothingOfStreamsOtherwise) {
  AskedCall asked(openai());
  asked.with_params(R"({"stream":true,"stream_options":{"include_usage":true}})");
  EXPECT_EQ(asked.member("stream"), "missing");
  EXPECT_EQ(asked.member("stream_options"), "missing");
}

// ---- recorded streams

TEST(OpenAiStream, GivesWhatTheSameAnswerGivesInOnePiece) {
  streamed::expect_streamed_equals_whole(openai(), "stream_answer.txt", "answer.json");
  streamed::expect_streamed_equals_whole(openai(), "stream_tool_call.txt", "tool_call.json");
  streamed::expect_streamed_equals_whole(openai(), "stream_refusal.txt", "refusal.json");
  streamed::expect_streamed_equals_whole(openai(), "stream_deepseek.txt", "deepseek.json");
}

TEST(OpenAiStream, GivesTheSameWhereverItIsCut) {
  for (const char *file : {"stream_answer.txt", "stream_tool_call.txt", "stream_refusal.txt", "stream_deepseek.txt",
                           "stream_groq.txt", "stream_error.txt"})
    streamed::expect_same_wherever_cut(openai(), file);
}

TEST(OpenAiStream, IsUncertainUntilTheReasonHasComeAndCountedOnceTheUsageHas) {
  const std::string stream = openai().fixture("stream_answer.txt");
  streamed::expect_prefixes(openai(), stream, streamed::end_of_line(stream, R"("finish_reason":"stop")"),
                            streamed::end_of_line(stream, R"("usage":{)"));
}

TEST(OpenAiStream, KnowsTheUsageWithTheReasonWhereItComesInTheLastChoice) {
  for (const char *file : {"stream_deepseek.txt", "stream_groq.txt"}) {
    const std::string stream = openai().fixture(file);
    const std::size_t end = streamed::end_of_line(stream, R"("finish_reason":"stop")");
    streamed::expect_prefixes(openai(), stream, end, end);
  }
}

TEST(OpenAiStream, ReadsTheUsageThatGroqPutsApart) {
  const Answer read = answer(openai().fixture("stream_groq.txt"));
  EXPECT_EQ(read.text, "Grüß Gott 🌍");
  EXPECT_EQ(read.usage, (Usage{.input = 18, .output = 7}));
}

TEST(OpenAiStream, FailsAsAnErrorInTheStreamSaysWithTheUsageSoFar) {
  const auto read = streamed::read(openai(), {openai().fixture("stream_error.txt")});
  const Failure failed = decoded::failure_of(read.end.reply);
  EXPECT_EQ(failed.kind, FailureClass::transient);
  EXPECT_EQ(failed.message, "HTTP 200: The server had an error while processing your request. Sorry about that!");
  EXPECT_EQ(read.end.usage, (Usage{.input = 20, .output = 1}));
  EXPECT_TRUE(read.is_finished);
}

// ---- when it begins and ends

TEST(OpenAiStream, HasBegunWithTheFirstTokenOfAnyKind) {
  for (const char *members :
       {R"("content":"a")", R"("reasoning_content":"a")", R"("reasoning":"a")", R"("refusal":"a")",
        R"("tool_calls":[{"index":0}])", R"("content":[{"type":"thinking"}])", R"("function_call":{})"})
    EXPECT_TRUE(streamed::read(openai(), {delta(members)}).has_begun) << members;
}

TEST(OpenAiStream, HasNotBegunWithCommentsAndEmptyChunks) {
  const auto read = streamed::read(
      openai(), {": keep-alive\n\n", "\n\n", chunk(R"({"choices":[],"usage":{"prompt_tokens":3}})"),
                 delta(R"("role":"assistant","content":"","refusal":null,"tool_calls":[],"function_call":null)")});
  EXPECT_FALSE(read.has_begun);
}

TEST(OpenAiStream, IsFinishedByTheMarkOfTheEnd) {
  const std::string stream = delta(R"("content":"a")") + kStop;
  EXPECT_FALSE(streamed::read(openai(), {stream}).is_finished);
  EXPECT_TRUE(streamed::read(openai(), {stream + kDone}).is_finished);
}

TEST(OpenAiStream, ReadsNothingBehindTheEnd) {
  EXPECT_EQ(answer(delta(R"("content":"a")") + kStop + kDone + delta(R"("content":"b")") + "data: rubbish\n\n").text,
            "a");
}

TEST(OpenAiStream, DoesWithoutTheMarkWhereTheReasonWasSaid) {
  EXPECT_EQ(answer(delta(R"("content":"a")") + kStop).finish_reason, "stop");
}

TEST(OpenAiStream, DoesWithoutTheReasonWhereTheMarkCame) {
  EXPECT_EQ(answer(delta(R"("content":"a")") + kDone).text, "a");
}

TEST(OpenAiStream, TakesTheLastEventWithoutItsEmptyLineIfItIsWhole) {
  std::string stream = delta(R"("content":"a")") + kStop;
  stream.resize(stream.size() - 2);
  EXPECT_EQ(answer(stream).text, "a");
  stream.resize(stream.size() - 1);
  EXPECT_EQ(failure(stream).kind, FailureClass::uncertain);
}

TEST(OpenAiStream, IsUncertainWhereItEndsTooEarlyHoweverTheConnectionEnds) {
  const std::string stream = delta(R"("content":"a")");
  EXPECT_EQ(failure(stream).message, "HTTP 200: the streamed answer stopped before its end");
  EXPECT_EQ(failure(stream, Ending::cut).message, "HTTP 200: the streamed answer was cut");
  EXPECT_EQ(failure(stream).kind, FailureClass::uncertain);
  EXPECT_EQ(failure("").kind, FailureClass::uncertain);
}

TEST(OpenAiStream, TellsTheUsageOfAStreamThatWasCut) {
  const std::string stream =
      chunk(R"({"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":9,"completion_tokens":1}})");
  EXPECT_EQ(streamed::read(openai(), {stream}, Ending::cut).end.usage, (Usage{.input = 9, .output = 1}));
  EXPECT_EQ(streamed::read(openai(), {delta(R"("content":"a")")}, Ending::cut).end.usage, std::nullopt);
}

TEST(OpenAiStream, TellsTheUsageOfAnAnswerThatTheProviderGaveUp) {
  const std::string counted = chunk(R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}})");
  for (const char *reason : {"error", "abort", "insufficient_system_resource"})
    for (const char *content : {"", R"("content":"a")"}) {
      const std::string stream = delta(content) + delta("", '"' + std::string(reason) + '"') + counted + kDone;
      const auto read = streamed::read(openai(), {stream});
      EXPECT_TRUE(std::holds_alternative<Failure>(read.end.reply)) << stream;
      EXPECT_EQ(read.end.usage, (Usage{.input = 3, .output = 2})) << stream;
    }
}

TEST(OpenAiStream, HoldsTheLastOfCountsThatGrow) {
  const std::string counted =
      R"("content":"a"},"finish_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":)";
  const std::string start = R"({"choices":[{"delta":{)";
  const std::string stream = chunk(start + counted + "1}}") + chunk(start + counted + "2}}") + kStop;
  EXPECT_EQ(answer(stream + kDone).usage, (Usage{.input = 9, .output = 2}));
  // Cut behind the reason: more may have been counted.
  const auto cut = streamed::read(openai(), {stream}, Ending::cut);
  EXPECT_FALSE(decoded::answer_of(cut.end.reply).usage_known);
}

TEST(OpenAiStream, GoesOnWhereMoreComesAfterAReason) {
  EXPECT_EQ(failure(kStop + delta(R"("content":"a")"), Ending::cut).kind, FailureClass::uncertain);
}

TEST(OpenAiStream, HoldsNoAnswerWhereOnlyTheEndWasSaid) {
  EXPECT_EQ(failure(kDone).kind, FailureClass::garbled);
  EXPECT_EQ(failure(kDone).message, "HTTP 200: the stream holds no answer");
}

// ---- shapes of compatible servers

TEST(OpenAiStream, ReadsPartsAndTheFirstChoiceOnly) {
  const std::string stream =
      chunk(
          R"({"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":[{"type":"text","text":"yes"}]}}]})") +
      chunk(R"({"choices":[{"index":1,"delta":{"content":"no"},"finish_reason":"length"}]})") + kStop;
  EXPECT_EQ(answer(stream).text, "yes");
  EXPECT_EQ(answer(stream).finish_reason, "stop");
}

TEST(OpenAiStream, ReadsAWholeMessageInOneEvent) {
  EXPECT_EQ(answer(chunk(R"({"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]})")).text, "a");
}

TEST(OpenAiStream, DecodesPlainJsonWhereTheServerIgnoresTheWishForAStream) {
  const std::string body = openai().fixture("answer.json");
  const auto read =
      streamed::read(openai(), {"\r\n \n", std::string_view(body).substr(0, 5), std::string_view(body).substr(5)});
  EXPECT_EQ(streamed::shown(read.end), streamed::shown(openai().decode(200, body)));
  EXPECT_TRUE(read.has_begun);
  EXPECT_EQ(streamed::failure(openai(), R"({"error":{"message":"m","code":"rate_limit_exceeded"}})").kind,
            FailureClass::rate_limited);
}

TEST(OpenAiStream, IsUncertainOfPlainJsonThatWasCut) {
  const std::string body = openai().fixture("answer.json");
  EXPECT_EQ(failure(body.substr(0, 100), Ending::cut).kind, FailureClass::uncertain);
  EXPECT_EQ(failure(body.substr(0, 100)).kind, FailureClass::garbled);
}

TEST(OpenAiStream, QuotesAPageOfAProxyWithoutTheKey) {
  const Failure failed = failure("<html>proxy error " + std::string(kSecret) + "</html>");
  EXPECT_EQ(failed.kind, FailureClass::garbled);
  EXPECT_EQ(failed.message, "HTTP 200: the answer is not JSON: <html>proxy error [redacted]</html>");
}

TEST(OpenAiStream, ClassifiesErrorsInEveryShape) {
  const std::string start = delta(R"("content":"a")");
  EXPECT_EQ(failure(start + chunk(R"({"error":{"message":"m","type":"invalid_request_error"}})")).kind,
            FailureClass::invalid);
  EXPECT_EQ(failure(start + chunk(R"({"error":{"message":"m","code":429}})")).kind, FailureClass::rate_limited);
  EXPECT_EQ(failure(start + chunk(R"({"error":{"message":"m","code":"context_length_exceeded"}})")).kind,
            FailureClass::context_length);
  EXPECT_EQ(failure(start + chunk(R"({"object":"error","message":"m","code":400})")).kind, FailureClass::invalid);
  EXPECT_EQ(failure(start + chunk(R"({"x_groq":{"error":"out of capacity"},"choices":[]})")).kind,
            FailureClass::transient);
  EXPECT_EQ(failure(start + "event: error\ndata: overloaded\n\n").message, "HTTP 200: overloaded");
  EXPECT_EQ(failure(start + kStop + chunk(R"({"error":"late"})"), Ending::cut).message, "HTTP 200: late");
}

// ---- tool calls

TEST(OpenAiStreamCalls, AreOrderedByIndexWhateverItsGaps) {
  EXPECT_EQ(calls(fragments(R"([{"index":7,"id":"c","function":{"name":"f","arguments":"{"}}])") +
                  fragments(R"([{"index":-2,"id":"a","function":{"name":"g","arguments":"[]"}},
                                {"index":7,"function":{"arguments":"}"}}])")),
            R"([{"function":{"arguments":"[]","name":"g"},"id":"a","type":"function"},)"
            R"({"function":{"arguments":"{}","name":"f"},"id":"c","type":"function"}])");
}

TEST(OpenAiStreamCalls, AreToldApartByIdWhereTheyShareAnIndex) {
  EXPECT_EQ(calls(fragments(R"([{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}])") +
                  fragments(R"([{"index":0,"id":"b","function":{"name":"f","arguments":"2"}}])") +
                  fragments(R"([{"index":0,"function":{"arguments":"3"}}])")),
            R"([{"function":{"arguments":"1","name":"f"},"id":"a","type":"function"},)"
            R"({"function":{"arguments":"23","name":"f"},"id":"b","type":"function"}])");
}

TEST(OpenAiStreamCalls, AreToldApartByIdOrNameWithoutAnIndex) {
  EXPECT_EQ(calls(fragments(R"([{"id":"a","function":{"name":"f","arguments":"1"}},
                                {"id":"b","function":{"name":"g","arguments":"2"}}])") +
                  fragments(R"([{"id":"a","function":{"arguments":"3"}},{"function":{"arguments":"4"}},
                                {"function":{"name":"h"}}])")),
            R"([{"function":{"arguments":"13","name":"f"},"id":"a","type":"function"},)"
            R"({"function":{"arguments":"24","name":"g"},"id":"b","type":"function"},)"
            R"({"function":{"arguments":"{}","name":"h"},"id":"call_3d25a81dccea33ca_2","type":"function"}])");
}

TEST(OpenAiStreamCalls, KeepWhatIsRepeatedOnceAndWhatIsUnknown) {
  EXPECT_EQ(calls(fragments(R"([{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"x"},
                                 "extra_content":{"google":{"thought_signature":"s"}}}])") +
                  fragments(R"([{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"y"}}])") +
                  fragments(R"([{"index":0,"id":null,"function":{"name":null,"arguments":null}}])")),
            R"([{"extra_content":{"google":{"thought_signature":"s"}},"function":{"arguments":"xy","name":"f"},)"
            R"("id":"a","type":"function"}])");
}

TEST(OpenAiStreamCalls, OfCustomToolsAreReadToo) {
  EXPECT_EQ(calls(fragments(R"([{"index":0,"id":"a","type":"custom","custom":{"name":"sql","input":"SELECT"}}])") +
                  fragments(R"([{"index":0,"custom":{"input":" 1"}}])")),
            R"([{"custom":{"input":"SELECT 1","name":"sql"},"id":"a","type":"custom"}])");
}

// ---- hostile

TEST(OpenAiStreamHostile, MembersOfWrongTypesAreNone) {
  EXPECT_EQ(answer(chunk(R"({"choices":{},"usage":[1],"model":3,"x_groq":4})") +
                   chunk(R"({"choices":[5,{"index":"x","delta":{"content":7,"refusal":[],"tool_calls":{"a":1}}}]})") +
                   fragments(R"([1,{"index":1.5,"id":2,"function":"f"},null])") + delta(R"("content":"a")") + kStop)
                .text,
            "a");
}

TEST(OpenAiStreamHostile, AnEventThatIsNoJsonObjectGarblesTheStream) {
  for (const char *data : {"rubbish", "[1]", "3", R"({"choices")"}) {
    const Failure failed = failure(delta(R"("content":"a")") + "data: " + data + "\n\n" + kStop + kDone);
    EXPECT_EQ(failed.kind, FailureClass::garbled) << data;
    EXPECT_EQ(failed.message, std::string("HTTP 200: an event of the stream is no JSON object: ") + data);
  }
}

TEST(OpenAiStreamHostile, JsonThatIsTooDeepGarblesTheStream) {
  const std::string deep = R"({"choices":)" + std::string(100'000, '[');
  EXPECT_EQ(failure(chunk(deep)).kind, FailureClass::garbled);
}

TEST(OpenAiStreamHostile, AnEventWithoutAnEndGarblesTheStream) {
  const auto reader = openai().format().open_stream();
  const std::string piece(1 << 20, 'x');
  reader->feed("data: ");
  for (int i = 0; i < 20 && !reader->is_finished(); ++i) reader->feed(piece);
  EXPECT_TRUE(reader->is_finished());
  EXPECT_EQ(decoded::failure_of(reader->finish(true, kSecret, decoded::kNow).reply).message,
            "HTTP 200: an event of the stream is larger than 16 MB");
}

TEST(OpenAiStreamHostile, BrokenUtf8IsReplaced) {
  EXPECT_EQ(answer(delta("\"content\":\"a\xE2\x82\"") + delta("\"content\":\"\xAC!\\u0000\"") + kStop).text,
            "a\uFFFD\uFFFD!\uFFFD");
}

TEST(OpenAiStreamHostile, ManyCallsTakeLinearTime) {
  const auto reader = openai().format().open_stream();
  for (int i = 0; i < 100'000; ++i) reader->feed(fragments(R"([{"index":)" + std::to_string(100'000 - i) + "}]"));
  reader->feed(kStop);
  const Answer read = decoded::answer_of(reader->finish(false, kSecret, decoded::kNow).reply);
  EXPECT_EQ(read.tool_calls.size(), 100'000U);
}

TEST(OpenAiStreamHostile, ManyPiecesOfOneTextTakeLinearTime) {
  const auto reader = openai().format().open_stream();
  const std::string piece = delta(R"("content":"0123456789")");
  std::size_t taken = 0;
  for (int i = 0; i < 200'000; ++i) {
    reader->feed(piece);
    taken += reader->take_text().size();
  }
  EXPECT_EQ(taken, 2'000'000U);
}

}  // namespace
}  // namespace agent_queue
