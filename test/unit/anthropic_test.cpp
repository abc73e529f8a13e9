// Anthropic's messages: what is sent for a conversation in OpenAI's shape, and the golden answers and errors of
// fixtures/anthropic. Params: anthropic_params_test.cpp.
#include <gtest/gtest.h>

#include "core/wire/text_clean.hpp"
#include "unit/format_under_test.hpp"

namespace agent_queue {
namespace {

using namespace std::chrono_literals;
using decoded::answer_of;
using decoded::failure_of;
using decoded::kSecret;

const FormatUnderTest &anthropic() {
  static const FormatUnderTest format("anthropic");
  return format;
}

struct Asked : AskedCall {
  Asked() : AskedCall(anthropic()) {}
  explicit Asked(const char *messages) : AskedCall(anthropic(), messages) {}
};

// ---- encode: the call

TEST(AnthropicEncode, PostsToMessages) {
  Asked asked;
  EXPECT_EQ(asked.encoded()->url, "https://api.example.com/v1/messages");
  EXPECT_EQ(asked.header("content-type"), "application/json");
  EXPECT_EQ(asked.header("anthropic-version"), "2023-06-01");
}

TEST(AnthropicEncode, SendsTheKeyInItsOwnHeaderAlone) {
  Asked asked;
  EXPECT_EQ(asked.header("x-api-key"), kSecret);
  EXPECT_EQ(asked.header("authorization"), "none");
  asked.call.api_key = {};
  EXPECT_EQ(asked.header("x-api-key"), "none");
}

TEST(AnthropicEncode, ForgivesASlashAtTheEndOfTheBaseUrl) {
  Asked asked;
  asked.call.base_url = "http://localhost:9/";
  EXPECT_EQ(asked.encoded()->url, "http://localhost:9/messages");
}

TEST(AnthropicEncode, WritesTheModelTheBoundAndTheMessages) {
  EXPECT_EQ(
      Asked().body(),
      R"({"model":"model-1","max_tokens":100,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]})");
}

TEST(AnthropicEncode, RefusesWhatNoFormatCanSend) {
  Asked asked;
  asked.call.base_url = {};
  EXPECT_EQ(asked.error(), "provider has no base_url");
  asked = Asked();
  asked.call.model = {};
  EXPECT_EQ(asked.error(), "route has no model");
}

TEST(AnthropicEncode, RefusesAKeyThatWouldBreakTheHeaderAndDoesNotQuoteIt) {
  Asked asked;
  asked.call.api_key = "abc\r\nX-Evil: 1";
  EXPECT_EQ(asked.error(), "API key holds a line break or another control character");
}

TEST(AnthropicEncode, RefusesACallWithoutABoundOfTheOutput) {
  Asked asked;
  asked.call.max_output_tokens = 0;
  EXPECT_EQ(asked.error(), "the API of Anthropic needs a bound of the output");
}

// ---- encode: messages

TEST(AnthropicEncode, JoinsAllSystemTextsAtTheTop) {
  Asked asked(R"([{"role":"system","content":"be kind"},{"role":"user","content":"hi"},
                  {"role":"developer","content":[{"type":"text","text":"be quick"}]}])");
  asked.prompt.system = "be \"brief\"";
  EXPECT_EQ(asked.member("system"), R"("be \"brief\"\n\nbe kind\n\nbe quick")");
  EXPECT_EQ(asked.member("messages"), R"([{"content":[{"text":"hi","type":"text"}],"role":"user"}])");
}

TEST(AnthropicEncode, RefusesAConversationOfSystemMessagesAlone) {
  EXPECT_EQ(Asked(R"([{"role":"system","content":"x"}])").error(), "messages hold nothing but system messages");
}

TEST(AnthropicEncode, MergesNeighboursOfTheSameRole) {
  EXPECT_EQ(Asked(R"([{"role":"user","content":"a"},{"role":"user","content":"b"},{"role":"assistant","content":"c"},
                      {"role":"user","content":"d"}])")
                .member("messages"),
            R"([{"content":[{"text":"a","type":"text"},{"text":"b","type":"text"}],"role":"user"},)"
            R"({"content":[{"text":"c","type":"text"}],"role":"assistant"},)"
            R"({"content":[{"text":"d","type":"text"}],"role":"user"}])");
}

TEST(AnthropicEncode, LeavesOutEmptyTextsBecauseTheyAreRefusedThere) {
  EXPECT_EQ(Asked(R"([{"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"a"}]},
                      {"role":"assistant","content":""},{"role":"assistant","content":null},
                      {"role":"user","content":"b"}])")
                .member("messages"),
            R"([{"content":[{"text":"a","type":"text"},{"text":"b","type":"text"}],"role":"user"}])");
}

TEST(AnthropicEncode, SendsARefusalAsTheTextThatItWas) {
  EXPECT_EQ(Asked(R"([{"role":"assistant","content":[{"type":"refusal","refusal":"no"}]},
                      {"role":"assistant","content":null,"refusal":"never"}])")
                .member("messages"),
            R"([{"content":[{"text":"no","type":"text"},{"text":"never","type":"text"}],"role":"assistant"}])");
}

TEST(AnthropicEncode, TurnsToolCallsIntoToolUseBlocks) {
  EXPECT_EQ(Asked(R"([{"role":"assistant","content":"let me see","tool_calls":[
                      {"id":"c1","type":"function","function":{"name":"look","arguments":"{\"at\": 1}"}},
                      {"id":"c2","type":"function","function":{"name":"wait","arguments":""}}]}])")
                .member("messages"),
            R"([{"content":[{"text":"let me see","type":"text"},)"
            R"({"id":"c1","input":{"at":1},"name":"look","type":"tool_use"},)"
            R"({"id":"c2","input":{},"name":"wait","type":"tool_use"}],"role":"assistant"}])");
}

TEST(AnthropicEncode, PutsToolResultsIntoAUsersTurn) {
  EXPECT_EQ(Asked(R"([{"role":"tool","tool_call_id":"c1","content":"sunny"},
                      {"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"warm"}]},
                      {"role":"user","content":"so?"}])")
                .member("messages"),
            R"([{"content":[{"content":[{"text":"sunny","type":"text"}],"tool_use_id":"c1","type":"tool_result"},)"
            R"({"content":[{"text":"warm","type":"text"}],"tool_use_id":"c2","type":"tool_result"},)"
            R"({"text":"so?","type":"text"}],"role":"user"}])");
}

TEST(AnthropicEncode, RefusesArgumentsThatAreNoObject) {
  for (const char *arguments : {R"("[1]")", R"("{")", "5", R"(["a"])"}) {
    const std::string messages =
        R"([{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":)" + std::string(arguments) + "}}]}]";
    EXPECT_EQ(Asked(messages.c_str()).error(), "arguments of a tool call in the messages are no JSON object");
  }
}

TEST(AnthropicEncode, SendsImagesAsBytesOrByAddress) {
  EXPECT_EQ(Asked(R"([{"role":"user","content":[
                      {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0K"}},
                      {"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}])")
                .member("messages"),
            R"([{"content":[{"source":{"data":"iVBORw0K","media_type":"image/png","type":"base64"},"type":"image"},)"
            R"({"source":{"type":"url","url":"https://example.com/a.png"},"type":"image"}],"role":"user"}])");
}

TEST(AnthropicEncode, RefusesImagesOfOtherKinds) {
  for (const char *url : {"http://example.com/a.png", "file:///etc/passwd", ""}) {
    const std::string messages =
        R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":")" + std::string(url) + "\"}}]}]";
    EXPECT_EQ(Asked(messages.c_str()).error(), "image of a message is neither a data: URL nor an https: URL") << url;
  }
}

TEST(AnthropicEncode, RefusesDataUrlsThatCouldBreakTheBody) {
  for (const char *url : {"data:", "data:,", "data:image/png,abc", "data:image/png;base64,", "data:;base64,AAAA",
                          R"(data:image/png;base64,AA\"}],\"x\":[{\")", R"(data:image/\"png;base64,AAAA)"}) {
    const std::string messages =
        R"([{"role":"user","content":[{"type":"image_url","image_url":")" + std::string(url) + "\"}]}]";
    EXPECT_EQ(Asked(messages.c_str()).error(), "data: URL of an image is not of the form data:image/png;base64,...")
        << url;
  }
}

TEST(AnthropicEncode, PassesBlocksOfItsOwnShape) {
  EXPECT_EQ(Asked(R"([{"role":"user","content":[
                      {"type":"text","text":"a","cache_control":{"type":"ephemeral"}},{"type":"document"}]}])")
                .member("messages"),
            R"([{"content":[{"cache_control":{"type":"ephemeral"},"text":"a","type":"text"},{"type":"document"}],)"
            R"("role":"user"}])");
}

// ---- decode: answers

TEST(AnthropicDecode, ReadsAPlainAnswer) {
  const Answer answer = anthropic().answer("answer.json");
  EXPECT_EQ(answer.text, "Hello! How can I help you today?");
  EXPECT_EQ(answer.finish_reason, "stop");
  EXPECT_EQ(answer.model, "claude-sonnet-4-5-20250929");
  EXPECT_TRUE(answer.tool_calls.is_null());
  EXPECT_TRUE(answer.usage_known);
  EXPECT_EQ(answer.usage, (Usage{.input = 12, .output = 9}));
}

TEST(AnthropicDecode, ReadsToolUseAsToolCallsInOpenAisShape) {
  const Answer answer = anthropic().answer("tool_call.json");
  EXPECT_EQ(answer.text, "I'll check the weather.");
  EXPECT_EQ(answer.finish_reason, "tool_calls");
  EXPECT_EQ(dump_json(answer.tool_calls),
            R"([{"function":{"arguments":"{\"location\":\"San Francisco, CA\",\"unit\":\"celsius\"}",)"
            R"("name":"get_weather"},"id":"toolu_01A09q90qw90lq917835lq9","type":"function"},)"
            R"({"function":{"arguments":"{}","name":"get_time"},"id":"toolu_02","type":"function"}])");
}

TEST(AnthropicDecode, TellsARefusal) {
  const Answer answer = anthropic().answer("refusal.json");
  EXPECT_EQ(answer.finish_reason, "refusal");
  EXPECT_EQ(answer.text, "I can't ");
  EXPECT_EQ(answer.refusal, "");
}

TEST(AnthropicDecode, ReadsWhyItRefused) {
  EXPECT_EQ(answer_of(anthropic().decode(200, R"({"content":[],"stop_reason":"refusal",
                "stop_details":{"type":"refusal","category":"cyber","explanation":"It asks\u0000 for an exploit."}})"))
                .refusal,
            "It asks\xEF\xBF\xBD for an exploit.");
  EXPECT_EQ(answer_of(anthropic().decode(
                          200, R"({"content":[],"stop_reason":"end_turn","stop_details":{"explanation":"x"}})"))
                .refusal,
            "");
}

TEST(AnthropicDecode, TellsATruncatedAnswer) {
  EXPECT_EQ(anthropic().answer("truncated.json").finish_reason, "length");
}

TEST(AnthropicDecode, TellsTheThinkingFromTheText) {
  EXPECT_EQ(anthropic().answer("thinking.json").text, "27 is a cube.");
  EXPECT_EQ(anthropic().answer("thinking.json").reasoning, "27 is 3 to the third.");
}

TEST(AnthropicDecode, MapsStopReasonsToTheCommonOnes) {
  const std::pair<const char *, const char *> reasons[] = {
      {"end_turn", "stop"},       {"stop_sequence", "stop"},
      {"max_tokens", "length"},   {"pause_turn", "pause_turn"},
      {"tool_use", "tool_calls"}, {"refusal", "refusal"},
      {"other", "other"},         {"model_context_window_exceeded", "length"}};
  for (const auto &[theirs, ours] : reasons) {
    const std::string body = R"({"content":[],"stop_reason":")" + std::string(theirs) + "\"}";
    EXPECT_EQ(answer_of(anthropic().decode(200, body)).finish_reason, ours);
  }
}

TEST(AnthropicDecode, CleansAllThatIsStored) {
  const Answer answer = answer_of(anthropic().decode(200, R"({"model":"m\u0000","stop_reason":"f\u0000","content":[
      {"type":"text","text":"\u0000"},
      {"type":"tool_use","id":"i\u0000","name":"n\u0000","input":{"k\u0000":"\u0000"}}]})"));
  for (const std::string &text : {answer.model, answer.finish_reason, answer.text, dump_json(answer.tool_calls)}) {
    EXPECT_EQ(text.find("u0000"), std::string::npos) << text;
    EXPECT_NE(text.find("\xEF\xBF\xBD"), std::string::npos) << text;
  }
}

TEST(AnthropicDecode, SurvivesBlocksOfEveryKind) {
  EXPECT_EQ(answer_of(anthropic().decode(200, R"({"content":[null,5,"x",[],{},{"type":7},{"type":"text"},
      {"type":"text","text":{}},{"type":"server_tool_use","name":"web_search"},{"type":"text","text":"a"}]})"))
                .text,
            "a");
}

TEST(AnthropicDecode, CallsASuccessGarbledThatCannotBeUnderstood) {
  for (const std::string &body :
       {std::string(), std::string("<html>"), anthropic().fixture("answer.json").substr(0, 150), std::string("[]"),
        std::string("{}"), std::string(R"({"content":"text"})"), std::string(R"({"content":null})")})
    EXPECT_EQ(failure_of(anthropic().decode(200, body)).kind, FailureClass::garbled) << body;
}

// ---- decode: usage

TEST(AnthropicUsage, CountsCachedTokensBesideTheInput) {
  EXPECT_EQ(anthropic().answer("cached.json").usage,
            (Usage{.input = 50, .cache_read = 100000, .cache_write = 700, .cache_write_1h = 244, .output = 503}));
}

TEST(AnthropicUsage, SumsTheWritesByLifetimeWhereTheirSumIsMissing) {
  EXPECT_EQ(answer_of(anthropic().decode(200, R"({"content":[],"usage":{"input_tokens":1,"output_tokens":2,
                "cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4}}})"))
                .usage,
            (Usage{.input = 1, .cache_write = 7, .cache_write_1h = 4, .output = 2}));
}

TEST(AnthropicUsage, NeverWritesMoreForAnHourThanIsWritten) {
  EXPECT_EQ(answer_of(anthropic().decode(200, R"({"content":[],"usage":{"input_tokens":1,"output_tokens":2,
                "cache_creation_input_tokens":3,"cache_creation":{"ephemeral_1h_input_tokens":9}}})"))
                .usage,
            (Usage{.input = 1, .cache_write = 3, .cache_write_1h = 3, .output = 2}));
}

TEST(AnthropicUsage, CountsThinkingAsAPartOfTheOutput) {
  EXPECT_EQ(anthropic().answer("thinking.json").usage, (Usage{.input = 30, .output = 210, .reasoning = 198}));
}

TEST(AnthropicUsage, IsNotKnownWhereItIsMissing) {
  for (const char *usage : {"null", "{}", "5", R"({"input_tokens":"many"})"})
    EXPECT_FALSE(
        answer_of(anthropic().decode(200, R"({"content":[],"usage":)" + std::string(usage) + "}")).usage_known);
}

TEST(AnthropicUsage, DoesNotTrustAbsurdNumbers) {
  const Usage usage = answer_of(anthropic().decode(200, R"({"content":[],"usage":{"input_tokens":9e18,
      "cache_read_input_tokens":9223372036854775807,"cache_creation_input_tokens":-5,"output_tokens":-1}})"))
                          .usage;
  EXPECT_EQ(usage, (Usage{.input = 1'000'000'000}));
}

// ---- decode: errors

TEST(AnthropicErrors, OverloadAndTroubleOfTheServerPass) {
  EXPECT_EQ(anthropic().kind(529, "error_overloaded.json"), FailureClass::transient);
  EXPECT_EQ(anthropic().kind(500, "error_api.json"), FailureClass::transient);
}

TEST(AnthropicErrors, AnErrorInA200IsAnError) {
  EXPECT_EQ(anthropic().kind(200, "error_overloaded.json"), FailureClass::transient);
  EXPECT_EQ(anthropic().kind(200, "error_not_found.json"), FailureClass::invalid);
}

TEST(AnthropicErrors, ARateLimitWaitsAsLongAsItSays) {
  const Failure failure = anthropic().failure(429, "error_rate_limit.json", {{"retry-after", "17"}});
  EXPECT_EQ(failure.kind, FailureClass::rate_limited);
  EXPECT_EQ(failure.retry_after, 17s);
}

TEST(AnthropicErrors, ARateLimitWaitsForTheWindowThatIsUsedUp) {
  const std::vector<HttpHeader> headers = {{"anthropic-ratelimit-requests-remaining", "9"},
                                           {"anthropic-ratelimit-requests-reset", "2027-01-15T09:00:00Z"},
                                           {"anthropic-ratelimit-input-tokens-remaining", "0"},
                                           {"anthropic-ratelimit-input-tokens-reset", "2027-01-15T08:00:30Z"}};
  EXPECT_EQ(anthropic().failure(429, "error_rate_limit.json", headers).retry_after, 30s);
}

TEST(AnthropicErrors, ASpendLimitIsNoRateLimit) {
  EXPECT_EQ(anthropic().kind(429, "error_spend_limit.json"), FailureClass::quota);
  EXPECT_EQ(anthropic().kind(400, "error_usage_limits.json"), FailureClass::quota);
  EXPECT_EQ(anthropic().kind(402, "error_billing.json"), FailureClass::quota);
}

TEST(AnthropicErrors, TellTheKeysFault) {
  EXPECT_EQ(anthropic().kind(401, "error_authentication.json"), FailureClass::credential);
  EXPECT_EQ(anthropic().kind(403, "error_permission.json"), FailureClass::credential);
}

TEST(AnthropicErrors, TellTheRequestsFault) {
  EXPECT_EQ(anthropic().kind(400, "error_invalid.json"), FailureClass::invalid);
  EXPECT_EQ(anthropic().kind(404, "error_not_found.json"), FailureClass::invalid);
}

TEST(AnthropicErrors, AreReadWhereTheBodyIsNoJson) {
  const Failure failure = anthropic().failure(413, "error_too_large.html");
  EXPECT_EQ(failure.kind, FailureClass::invalid);
  EXPECT_TRUE(failure.message.starts_with("HTTP 413: <html>")) << failure.message;
}

TEST(AnthropicErrors, TellAPromptThatIsTooLong) {
  EXPECT_EQ(anthropic().kind(400, "error_prompt_too_long.json"), FailureClass::context_length);
  EXPECT_EQ(failure_of(anthropic().decode(400, R"({"error":{"type":"invalid_request_error","message":
                "input length and `max_tokens` exceed context limit: 198000 + 8192 > 200000"}})"))
                .kind,
            FailureClass::context_length);
}

TEST(AnthropicErrors, AreQuotedCleanBoundedAndWithoutTheSecret) {
  const Failure failure = failure_of(anthropic().decode(
      401, R"({"error":{"message":"key )" + std::string(kSecret) + "\\u0000" + std::string(9000, 'x') + "\"}}"));
  EXPECT_TRUE(is_clean_text(failure.message));
  EXPECT_LE(failure.message.size(), kErrorMessageBytesMax);
  EXPECT_TRUE(failure.message.starts_with("HTTP 401: key [redacted]")) << failure.message;
}

}  // namespace
}  // namespace agent_queue
