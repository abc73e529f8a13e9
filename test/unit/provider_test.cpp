// The wire formats: golden answers and errors from fixtures/openai, and answers bent in each way that matters.
#include <gtest/gtest.h>

#include "core/provider/wire_format.hpp"
#include "core/wire/text_clean.hpp"
#include "unit/decoded.hpp"

namespace agent_queue {
namespace {

using namespace decoded;
using namespace std::chrono_literals;

const WireFormat &echo() {
  return *find_wire_format("echo");
}

Answer answer_with_message(const std::string &message) {
  return answer_of(decode(200, R"({"choices":[{"finish_reason":"stop","message":)" + message + "}]}"));
}

Usage usage_of(const std::string &usage) {
  return answer_of(decode(200, R"({"choices":[{"message":{"content":""}}],"usage":)" + usage + "}")).usage;
}

// ---- encode

struct Asked {
  Prompt prompt{"", Json::array({{{"role", "user"}, {"content", "hi"}}})};
  Json params;
  Call call;

  Asked() {
    call.base_url = "https://api.example.com/v1";
    call.api_key = kSecret;
    call.model = "gpt";
    call.prompt = &prompt;
  }
  Result<HttpRequest> encoded(const WireFormat &format = openai()) {
    call.params = &params;
    return format.encode(call);
  }
  std::string body() { return encoded()->body; }
};

std::string header_of(const HttpRequest &request, std::string_view name) {
  for (const HttpHeader &header : request.headers)
    if (header.name == name) return header.value;
  return "none";
}

TEST(OpenAiEncode, PostsToChatCompletionsWithTheKey) {
  const HttpRequest request = *Asked().encoded();
  EXPECT_EQ(request.url, "https://api.example.com/v1/chat/completions");
  EXPECT_EQ(header_of(request, "content-type"), "application/json");
  EXPECT_EQ(header_of(request, "authorization"), "Bearer key-of-the-provider-1234");
}

TEST(OpenAiEncode, SendsNoAuthorizationWithoutAKey) {
  Asked asked;
  asked.call.api_key = {};
  EXPECT_EQ(header_of(*asked.encoded(), "authorization"), "none");
}

TEST(OpenAiEncode, ForgivesASlashAtTheEndOfTheBaseUrl) {
  Asked asked;
  asked.call.base_url = "http://localhost:8000/v1/";
  EXPECT_EQ(asked.encoded()->url, "http://localhost:8000/v1/chat/completions");
}

TEST(OpenAiEncode, WritesTheModelAndTheMessages) {
  EXPECT_EQ(Asked().body(), R"({"model":"gpt","messages":[{"content":"hi","role":"user"}]})");
}

TEST(OpenAiEncode, PutsTheSystemPromptFirst) {
  Asked asked;
  asked.prompt.system = "be \"brief\"";
  EXPECT_EQ(
      asked.body(),
      R"({"model":"gpt","messages":[{"role":"system","content":"be \"brief\""},{"content":"hi","role":"user"}]})");
}

TEST(OpenAiEncode, WritesValidJsonForASystemPromptAlone) {
  Asked asked;
  asked.prompt.system = "s";
  asked.prompt.messages = Json::array();
  EXPECT_TRUE(parse_json(asked.body()).ok()) << asked.body();
}

TEST(OpenAiEncode, BoundsTheOutput) {
  Asked asked;
  asked.call.max_output_tokens = 1024;
  EXPECT_EQ(json_int(*parse_json(asked.body()), "max_completion_tokens"), 1024);
}

TEST(OpenAiEncode, LeavesTheBoundToTheParams) {
  for (const char *params : {R"({"max_tokens": 7})", R"({"max_completion_tokens": 7})"}) {
    Asked asked;
    asked.call.max_output_tokens = 1024;
    asked.params = *parse_json(params);
    EXPECT_EQ(asked.body().find("1024"), std::string::npos) << asked.body();
    EXPECT_NE(asked.body().find(":7"), std::string::npos) << asked.body();
  }
}

TEST(OpenAiEncode, TakesANullInTheParamsAsNotGiven) {
  Asked asked;
  asked.call.max_output_tokens = 1024;
  asked.params = *parse_json(R"({"max_completion_tokens": null, "seed": null, "temperature": 0.5})");
  EXPECT_EQ(asked.body(), R"({"model":"gpt","messages":[{"content":"hi","role":"user"}],"max_completion_tokens":1024,)"
                          R"("temperature":0.5})")
      << "the hold counts on the bound";
}

TEST(OpenAiEncode, NeverStreamsAndNeverLetsParamsReplaceTheCallItself) {
  Asked asked;
  asked.params = *parse_json(R"({"stream": true, "stream_options": {}, "model": "dear", "messages": [], "n": 1})");
  EXPECT_EQ(asked.body(), R"({"model":"gpt","messages":[{"content":"hi","role":"user"}],"n":1})");
}

TEST(OpenAiEncode, IgnoresParamsThatAreNoObject) {
  Asked asked;
  asked.params = Json::array({1});
  EXPECT_EQ(asked.body(), R"({"model":"gpt","messages":[{"content":"hi","role":"user"}]})");
  asked.call.params = nullptr;
  EXPECT_TRUE(openai().encode(asked.call).ok());
}

TEST(OpenAiEncode, RefusesAnEmptyModelOrBaseUrl) {
  Asked asked;
  asked.call.model = {};
  EXPECT_EQ(asked.encoded().error().message, "route has no model");
  asked = Asked();
  asked.call.prompt = &asked.prompt;
  asked.call.base_url = {};
  EXPECT_EQ(asked.encoded().error().message, "provider has no base_url");
}

TEST(OpenAiEncode, RefusesACallWithoutMessages) {
  Asked asked;
  asked.call.prompt = nullptr;
  EXPECT_EQ(asked.encoded().error().message, "call has no messages");
}

TEST(OpenAiEncode, RefusesAKeyThatWouldBreakTheHeaderAndDoesNotQuoteIt) {
  Asked asked;
  asked.call.api_key = "abc\r\nX-Evil: 1";
  const Result<HttpRequest> request = asked.encoded();
  ASSERT_FALSE(request.ok());
  EXPECT_EQ(request.error().message.find("abc"), std::string::npos);
}

// ---- decode: answers

TEST(OpenAiDecode, ReadsAPlainAnswer) {
  const Answer answer = answer_of(decode(200, fixture("answer.json")));
  EXPECT_EQ(answer.text, "Hello! How can I assist you today?");
  EXPECT_EQ(answer.finish_reason, "stop");
  EXPECT_EQ(answer.model, "gpt-4.1-2025-04-14");
  EXPECT_EQ(answer.refusal, "");
  EXPECT_TRUE(answer.tool_calls.is_null());
  EXPECT_TRUE(answer.usage_known);
  EXPECT_EQ(answer.usage, (Usage{.input = 19, .output = 10}));
}

TEST(OpenAiDecode, ReadsToolCallsAsTheyAre) {
  const Answer answer = answer_of(decode(200, fixture("tool_call.json")));
  EXPECT_EQ(answer.text, "");
  EXPECT_EQ(answer.finish_reason, "tool_calls");
  ASSERT_EQ(answer.tool_calls.size(), 1U);
  EXPECT_EQ(json_string(answer.tool_calls[0]["function"], "arguments"), "{\n\"location\": \"Boston, MA\"\n}");
}

TEST(OpenAiDecode, ReadsARefusal) {
  const Answer answer = answer_of(decode(200, fixture("refusal.json")));
  EXPECT_EQ(answer.refusal, "I'm sorry, I cannot assist with that request.");
  EXPECT_EQ(answer.finish_reason, "refusal");
}

TEST(OpenAiDecode, TakesAFilteredAnswerAsAnAnswerBecauseItWasBilled) {
  const Answer answer = answer_of(decode(200, fixture("content_filter.json")));
  EXPECT_EQ(answer.finish_reason, "content_filter");
  EXPECT_EQ(answer.text, "The first step");
  EXPECT_EQ(answer.usage.output, 3);
}

TEST(OpenAiDecode, JoinsTheTextsOfParts) {
  EXPECT_EQ(answer_with_message(R"({"content":[{"type":"text","text":"a"},{"type":"image"},7,{"text":"b"}]})").text,
            "ab");
}

TEST(OpenAiDecode, MapsFinishReasonsToTheCommonOnes) {
  const std::pair<const char *, const char *> reasons[] = {
      {"stop", "stop"},     {"length", "length"}, {"function_call", "tool_calls"},      {"max_tokens", "length"},
      {"end_turn", "stop"}, {"eos", "stop"},      {"content_filter", "content_filter"}, {"of_its_own", "of_its_own"}};
  for (const auto &[theirs, ours] : reasons) {
    const std::string body = R"({"choices":[{"message":{},"finish_reason":")" + std::string(theirs) + "\"}]}";
    EXPECT_EQ(answer_of(decode(200, body)).finish_reason, ours);
  }
  EXPECT_EQ(answer_of(decode(200, R"({"choices":[{"message":{},"finish_reason":null}]})")).finish_reason, "");
}

TEST(OpenAiDecode, CleansNulEscapesOutOfAllThatIsStored) {
  const Answer answer = answer_of(decode(200, R"({"model":"m\u0000","choices":[{"finish_reason":"f\u0000","message":{
      "content":"a\u0000b","refusal":"\u0000","tool_calls":[{"id":"\u0000","k\u0000":["\u0000"]}]}}]})"));
  EXPECT_EQ(answer.text,
            "a\xEF\xBF\xBD"
            "b");
  for (const std::string &text : {answer.model, answer.finish_reason, answer.refusal, dump_json(answer.tool_calls)}) {
    EXPECT_TRUE(is_clean_text(text)) << text;
    EXPECT_EQ(text.find("\\u0000"), std::string::npos) << text;
    EXPECT_NE(text.find("\xEF\xBF\xBD"), std::string::npos) << text;
  }
}

TEST(OpenAiDecode, SavesAnAnswerWithBrokenUtf8OrALoneSurrogate) {
  EXPECT_EQ(answer_with_message("{\"content\":\"a\xF0\x9F\"}").text, "a\xEF\xBF\xBD");
  EXPECT_EQ(answer_with_message(R"({"content":"a\ud83d"})").text, "a\xEF\xBF\xBD");
}

TEST(OpenAiDecode, BoundsTheModelAndTheFinishReason) {
  const std::string huge(10'000, 'x');
  const Answer answer = answer_of(
      decode(200, R"({"model":")" + huge + R"(","choices":[{"message":{},"finish_reason":")" + huge + "\"}]}"));
  EXPECT_LE(answer.model.size(), 200U);
  EXPECT_LE(answer.finish_reason.size(), 200U);
}

TEST(OpenAiDecode, AcceptsBlankLinesBeforeTheAnswer) {
  EXPECT_EQ(answer_of(decode(200, "\n\n\r\n" + fixture("answer.json"))).finish_reason, "stop");
}

TEST(OpenAiDecode, TakesAnEmptyErrorMemberAsNoError) {
  for (const char *error : {"null", "\"\"", "{}", "false"})
    EXPECT_EQ(
        answer_of(decode(200, R"({"choices":[{"message":{"content":"x"}}],"error":)" + std::string(error) + "}")).text,
        "x");
}

// ---- decode: usage

TEST(OpenAiUsage, TakesCachedAndWrittenTokensOutOfTheInput) {
  const Answer answer = answer_of(decode(200, fixture("cached_reasoning.json")));
  EXPECT_EQ(answer.usage,
            (Usage{.input = 214, .cache_read = 1536, .cache_write = 256, .output = 300, .reasoning = 192}));
  EXPECT_EQ(answer.usage.total(), 2306);
}

TEST(OpenAiUsage, ReadsDeepSeeksCounters) {
  EXPECT_EQ(answer_of(decode(200, fixture("deepseek.json"))).usage,
            (Usage{.input = 64, .cache_read = 256, .output = 57, .reasoning = 40}));
  EXPECT_EQ(usage_of(R"({"prompt_cache_hit_tokens": 5, "prompt_cache_miss_tokens": 3})"),
            (Usage{.input = 3, .cache_read = 5}));
}

TEST(OpenAiUsage, IsNotKnownWhereItIsMissing) {
  for (const char *usage : {"null", "{}", "5", "[]", R"({"prompt_tokens": "many"})"}) {
    const std::string body = R"({"choices":[{"message":{"content":"x"}}],"usage":)" + std::string(usage) + "}";
    EXPECT_FALSE(answer_of(decode(200, body)).usage_known) << usage;
  }
}

TEST(OpenAiUsage, ClampsNegativeNumbersToZero) {
  EXPECT_EQ(usage_of(R"({"prompt_tokens": -5, "completion_tokens": -1,
                         "prompt_tokens_details": {"cached_tokens": -2, "cache_write_tokens": -3}})"),
            Usage{});
}

TEST(OpenAiUsage, NeverHasMorePartsThanTheWhole) {
  EXPECT_EQ(usage_of(R"({"prompt_tokens": 10, "completion_tokens": 4,
                         "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 50},
                         "completion_tokens_details": {"reasoning_tokens": 9}})"),
            (Usage{.cache_read = 8, .cache_write = 2, .output = 4, .reasoning = 4}));
  EXPECT_EQ(usage_of(R"({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 99}})"),
            (Usage{.cache_read = 10}));
}

TEST(OpenAiUsage, DoesNotTrustAbsurdNumbers) {
  const Usage usage = usage_of(R"({"prompt_tokens": 9000000000000000000, "completion_tokens": 1e300,
                                   "prompt_cache_hit_tokens": 9223372036854775807})");
  EXPECT_LE(usage.total(), 2'000'000'000);
  EXPECT_EQ(usage.output, 0);
}

// ---- decode: answers that cannot be understood

TEST(OpenAiDecode, CallsASuccessGarbledThatCannotBeUnderstood) {
  for (const std::string &body :
       {std::string(), std::string("<html>fine</html>"), fixture("answer.json").substr(0, 200), std::string("[]"),
        std::string("5"), std::string("{}"), std::string(R"({"choices":[]})"), std::string(R"({"choices":[5]})"),
        std::string(R"({"choices":[{}]})"), std::string(R"({"choices":[{"message":null}]})"),
        std::string(R"({"choices":{"message":{}}})"), std::string(1000, '[')}) {
    const Failure failure = failure_of(decode(200, body));
    EXPECT_EQ(failure.kind, FailureClass::garbled) << body;
    EXPECT_EQ(failure.http_status, 200);
    EXPECT_TRUE(failure.message.starts_with("HTTP 200: ")) << failure.message;
  }
}

TEST(OpenAiDecode, QuotesAGarbledAnswerCleanBoundedAndWithoutTheSecret) {
  const Failure failure = failure_of(decode(200, "<p>" + std::string(kSecret) + "\xFF" + std::string(10'000, 'x')));
  EXPECT_TRUE(is_clean_text(failure.message));
  EXPECT_LE(failure.message.size(), 600U);
  EXPECT_EQ(failure.message.find(kSecret), std::string::npos);
  EXPECT_NE(failure.message.find("<p>[redacted]"), std::string::npos);
}

TEST(OpenAiDecode, JudgesASuccessWithAnErrorByItsContent) {
  EXPECT_EQ(kind_of(200, error_body("insufficient_quota")), FailureClass::quota);
  EXPECT_EQ(kind_of(200, error_body("rate_limit_exceeded")), FailureClass::rate_limited);
  EXPECT_EQ(kind_of(200, error_body("invalid_request_error")), FailureClass::invalid);
  EXPECT_EQ(kind_of(200, error_body("server_error")), FailureClass::transient);
  EXPECT_EQ(kind_of(200, R"({"error":{"code":429,"message":"slow"}})"), FailureClass::rate_limited);
  EXPECT_EQ(kind_of(200, R"({"error":{"code":404,"message":"no such model"}})"), FailureClass::invalid);
  EXPECT_EQ(kind_of(200, R"({"error":"model runner has stopped"})"), FailureClass::transient);
  EXPECT_EQ(failure_of(decode(200, R"({"error":"model runner has stopped"})")).message,
            "HTTP 200: model runner has stopped");
}

// ---- echo

Reply echoed(Asked &asked) {
  const HttpRequest request = *asked.encoded(echo());
  return echo().decode(echo().answer_locally(request), kSecret, kNow);
}

TEST(Echo, AnswersWithWhatTheUserSaidLast) {
  Asked asked;
  asked.prompt.system = "12345";
  asked.prompt.messages = *parse_json(R"([{"role":"user","content":"first"},{"role":"assistant","content":"no"},
      {"role":"user","content":[{"type":"text","text":"la"},{"type":"text","text":"st\n\""}]},{"role":"tool"}])");
  const Answer answer = answer_of(echoed(asked));
  EXPECT_EQ(answer.text, "last\n\"");
  EXPECT_EQ(answer.model, "gpt");
  EXPECT_EQ(answer.finish_reason, "stop");
  EXPECT_EQ(answer.usage, (Usage{.input = 5, .output = 2}));  // 18 bytes in, 6 out
}

TEST(Echo, IsLocalAndNeedsNoAddress) {
  EXPECT_TRUE(echo().is_local());
  Asked asked;
  asked.call.base_url = {};
  EXPECT_EQ(answer_of(echoed(asked)).text, "hi");
}

TEST(Echo, SaysNothingWhereNoUserSpoke) {
  Asked asked;
  asked.prompt.messages = *parse_json(R"([{"role":"assistant","content":"x"}])");
  EXPECT_EQ(answer_of(echoed(asked)).text, "");
}

TEST(Echo, FailsAsItsParamsSay) {
  Asked asked;
  asked.params = *parse_json(R"({"echo_status": 429, "echo_retry_after": "2", "echo_error": "too \"fast\""})");
  const Failure failure = failure_of(echoed(asked));
  EXPECT_EQ(failure.kind, FailureClass::rate_limited);
  EXPECT_EQ(failure.message, "HTTP 429: too \"fast\"");
  EXPECT_EQ(failure.retry_after, 2s);
}

TEST(Echo, AnswersWithRawBytesWhereItsParamsSay) {
  Asked asked;
  asked.params = *parse_json(R"({"echo_body": "<html>"})");
  EXPECT_EQ(failure_of(echoed(asked)).kind, FailureClass::garbled);
  asked.params = *parse_json(R"({"echo_status": 503, "echo_body": "busy"})");
  EXPECT_EQ(failure_of(echoed(asked)).message, "HTTP 503: busy");
}

TEST(Echo, SurvivesARequestThatIsNotItsOwn) {
  HttpRequest request;
  request.body = "no JSON";
  EXPECT_EQ(answer_of(echo().decode(echo().answer_locally(request), {}, kNow)).text, "");
}

// ---- registry

TEST(Registry, FindsFormatsByTheirNames) {
  EXPECT_EQ(openai().name(), "openai");
  EXPECT_EQ(echo().name(), "echo");
  EXPECT_EQ(find_wire_format("smoke signals"), nullptr);
  EXPECT_EQ(find_wire_format(""), nullptr);
}

TEST(Registry, AFormatThatIsNotLocalSaysSoInsteadOfAnswering) {
  EXPECT_FALSE(openai().is_local());
  EXPECT_EQ(openai().answer_locally(HttpRequest()).status, 501);
}

}  // namespace
}  // namespace agent_queue
