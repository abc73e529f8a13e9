// Gemini's streams: the recorded ones of fixtures/gemini cut everywhere, and those that break off or fail.
#include <gtest/gtest.h>

#include "unit/streamed.hpp"

namespace agent_queue {
namespace {

using streamed::Ending;

const FormatUnderTest &gemini() {
  static const FormatUnderTest format("gemini");
  return format;
}

std::string event(const std::string &json) {
  return "data: " + json + "\r\n\r\n";
}
std::string parts(const std::string &list, const std::string &more = "") {
  return event(R"({"candidates":[{"content":{"parts":)" + list + "}" + more + R"(}],"modelVersion":"m"})");
}
const std::string kText = parts(R"([{"text":"a"}])");
const std::string kStop = parts("[]", R"(,"finishReason":"STOP")");

Answer answer(const std::string &stream) {
  return streamed::answer(gemini(), stream);
}
Failure failure(const std::string &stream, Ending ending = Ending::clean) {
  return streamed::failure(gemini(), stream, ending);
}

TEST(GeminiStreamEncode, AsksForEventsByItsMethod) {
  AskedCall asked(gemini());
  asked.call.stream = true;
  EXPECT_EQ(asked.encoded()->url, "https://api.example.com/v1/models/model-1:streamGenerateContent?alt=sse");
  EXPECT_EQ(asked.member("stream"), "missing");
  asked.call.base_url = "https://api.example.com/v1?tenant=7&x=y";
  EXPECT_EQ(asked.encoded()->url,
            "https://api.example.com/v1/models/model-1:streamGenerateContent?alt=sse&tenant=7&x=y");
  asked.call.stream = false;
  EXPECT_EQ(asked.encoded()->url, "https://api.example.com/v1/models/model-1:generateContent?tenant=7&x=y");
}

TEST(GeminiStream, GivesWhatTheSameAnswerGivesInOnePiece) {
  streamed::expect_streamed_equals_whole(gemini(), "stream_answer.txt", "answer.json");
  streamed::expect_streamed_equals_whole(gemini(), "stream_tool_call.txt", "tool_call.json");
  streamed::expect_streamed_equals_whole(gemini(), "stream_cached_reasoning.txt", "cached_reasoning.json");
  streamed::expect_streamed_equals_whole(gemini(), "stream_blocked_prompt.txt", "blocked_prompt.json");
}

TEST(GeminiStream, GivesTheSameWhereverItIsCut) {
  for (const char *file : {"stream_answer.txt", "stream_tool_call.txt", "stream_cached_reasoning.txt",
                           "stream_blocked_prompt.txt", "stream_error.txt", "stream_array.txt"})
    streamed::expect_same_wherever_cut(gemini(), file);
}

TEST(GeminiStream, IsUncertainUntilTheReasonHasCome) {
  for (const char *file : {"stream_answer.txt", "stream_tool_call.txt", "stream_cached_reasoning.txt"}) {
    const std::string stream = gemini().fixture(file);
    const std::size_t end = streamed::end_of_line(stream, R"("finishReason":"STOP")");
    streamed::expect_prefixes(gemini(), stream, end, end);
  }
}

TEST(GeminiStream, ReadsAnArrayInsteadOfEventsWhenItIsWhole) {
  const std::string stream = gemini().fixture("stream_array.txt");
  EXPECT_EQ(streamed::shown(streamed::read(gemini(), {stream}).end.reply),
            streamed::shown(gemini().decode(200, gemini().fixture("answer.json"))));
  EXPECT_EQ(failure(stream.substr(0, stream.size() - 2), Ending::cut).kind, FailureClass::uncertain);
  EXPECT_EQ(failure(R"([{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"m"}}])").kind,
            FailureClass::rate_limited);
  EXPECT_EQ(failure("[]").kind, FailureClass::garbled);
  EXPECT_EQ(failure("[7]").kind, FailureClass::garbled);
}

TEST(GeminiStream, FailsAsAnErrorInTheStreamSaysWithTheUsageSoFar) {
  const auto read = streamed::read(gemini(), {gemini().fixture("stream_error.txt")});
  EXPECT_EQ(decoded::failure_of(read.end.reply).kind, FailureClass::transient);
  EXPECT_EQ(decoded::failure_of(read.end.reply).message, "HTTP 200: The model is overloaded. Please try again later.");
  EXPECT_EQ(read.end.usage, (Usage{.input = 4, .output = 1}));
  EXPECT_TRUE(read.is_finished);
}

TEST(GeminiStream, HasNoMarkOfItsEnd) {
  EXPECT_FALSE(streamed::read(gemini(), {kText + kStop}).is_finished);
  EXPECT_EQ(answer(kText + kStop).finish_reason, "stop");
  EXPECT_EQ(failure(kText).kind, FailureClass::uncertain);
}

TEST(GeminiStream, GoesOnWhereMoreComesAfterAReason) {
  EXPECT_EQ(answer(kStop + kText + kStop).text, "a");
  EXPECT_EQ(failure(kStop + kText).kind, FailureClass::uncertain);
}

TEST(GeminiStream, KnowsTheUsageOfAWholeStreamWhereverItStood) {
  const std::string counted = event(R"({"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1}})");
  EXPECT_EQ(answer(counted + kText + kStop).usage, (Usage{.input = 3, .output = 1}));
  const auto cut = streamed::read(gemini(), {counted + kText + kStop}, Ending::cut);
  EXPECT_FALSE(decoded::answer_of(cut.end.reply).usage_known);
  EXPECT_EQ(answer(counted + kText + kStop + event(R"({"usageMetadata":{}})")).usage.input, 3);
}

TEST(GeminiStream, HasBegunWithTheFirstTokenOfAnyKind) {
  for (const char *list :
       {R"([{"text":"a"}])", R"([{"text":"a","thought":true}])", R"([{"functionCall":{"name":"f"}}])"})
    EXPECT_TRUE(streamed::read(gemini(), {parts(list)}).has_begun) << list;
  EXPECT_FALSE(streamed::read(gemini(), {parts(R"([{"text":""}])") + kStop}).has_begun);
}

TEST(GeminiStream, ReadsAFilteredAnswerWithoutContent) {
  const std::string body = gemini().fixture("content_filter.json");
  const Result<Json> json = parse_json(body);
  EXPECT_EQ(streamed::shown(streamed::read(gemini(), {event(dump_json(*json))}).end.reply),
            streamed::shown(gemini().decode(200, body)));
}

TEST(GeminiStream, DecodesPlainJsonWhereTheServerIgnoresTheWishForAStream) {
  const std::string body = gemini().fixture("answer.json");
  EXPECT_EQ(streamed::shown(streamed::read(gemini(), {body}).end.reply), streamed::shown(gemini().decode(200, body)));
}

TEST(GeminiStream, HasNotBegunWhereOnePieceWasAFailure) {
  const auto blocked = streamed::read(gemini(), {gemini().fixture("blocked_prompt.json")});
  EXPECT_EQ(decoded::failure_of(blocked.end.reply).kind, FailureClass::content_filter);
  EXPECT_TRUE(blocked.end.usage.has_value()) << "the prompt is billed";
  EXPECT_TRUE(blocked.has_begun);
  EXPECT_FALSE(blocked.has_begun_at_end);
  EXPECT_FALSE(streamed::read(gemini(), {R"([{"error":{"code":429,"message":"m"}}])"}).has_begun_at_end);
  EXPECT_TRUE(streamed::read(gemini(), {gemini().fixture("stream_array.txt")}).has_begun_at_end);
  EXPECT_TRUE(streamed::read(gemini(), {gemini().fixture("answer.json")}).has_begun_at_end);
}

TEST(GeminiStreamHostile, MembersOfWrongTypesAreNone) {
  EXPECT_EQ(answer(event(R"({"candidates":[3,{"index":1,"content":{"parts":[{"text":"no"}]}}],"usageMetadata":7})") +
                   parts(R"([1,{"text":2,"functionCall":[]},{"thought":1,"text":"b"}])") + kText +
                   event(R"({"promptFeedback":3,"candidates":{"a":1},"modelVersion":[]})") + kStop)
                .text,
            "ba");
}

TEST(GeminiStreamHostile, ManyCallsTakeLinearTime) {
  std::string stream;
  for (int i = 0; i < 50'000; ++i) stream += parts(R"([{"functionCall":{"name":"f","args":{}}}])");
  EXPECT_EQ(answer(stream + kStop).tool_calls.size(), 50'000U);
}

}  // namespace
}  // namespace agent_queue
