// Gemini's generateContent: what is sent for a conversation in OpenAI's shape, and the golden answers and errors of
// fixtures/gemini.
#include <gtest/gtest.h>

#include "core/wire/text_clean.hpp"
#include "unit/format_under_test.hpp"

namespace agent_queue {
namespace {

using namespace std::chrono_literals;
using decoded::answer_of;
using decoded::failure_of;
using decoded::kSecret;

const FormatUnderTest &gemini() {
  static const FormatUnderTest format("gemini");
  return format;
}

struct Asked : AskedCall {
  Asked() : AskedCall(gemini()) {}
  explicit Asked(const char *messages) : AskedCall(gemini(), messages) {}
};

// ---- encode: the call

TEST(GeminiEncode, PostsToTheModel) {
  EXPECT_EQ(Asked().encoded()->url, "https://api.example.com/v1/models/model-1:generateContent");
}

TEST(GeminiEncode, SendsTheKeyInAHeaderAndNeverInTheUrl) {
  Asked asked;
  EXPECT_EQ(asked.header("x-goog-api-key"), kSecret);
  EXPECT_EQ(asked.encoded()->url.find(kSecret), std::string::npos);
  asked.call.api_key = {};
  EXPECT_EQ(asked.header("x-goog-api-key"), "none");
}

TEST(GeminiEncode, RefusesAModelThatWouldLeadElsewhere) {
  for (const char *model : {"a/b", "..", ".", "a?key=1", "a#", "a:streamGenerateContent", "a b", "a%2F", "\xC3\xA4"}) {
    Asked asked;
    asked.call.model = model;
    EXPECT_EQ(asked.error(), R"(the name of a Gemini model holds only letters, digits, "-", "_" and ".")") << model;
  }
}

TEST(GeminiEncode, RefusesWhatNoFormatCanSend) {
  Asked asked;
  asked.call.base_url = {};
  EXPECT_EQ(asked.error(), "provider has no base_url");
}

TEST(GeminiEncode, WritesTheContentsAndTheBound) {
  EXPECT_EQ(Asked().body(),
            R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}],"generationConfig":{"maxOutputTokens":100}})");
}

TEST(GeminiEncode, SendsNoBoundWhereThereIsNone) {
  Asked asked;
  asked.call.max_output_tokens = 0;
  EXPECT_EQ(asked.body(), R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})");
}

// ---- encode: messages

TEST(GeminiEncode, JoinsAllSystemTextsIntoTheInstruction) {
  Asked asked(R"([{"role":"system","content":"two"},{"role":"user","content":"hi"}])");
  asked.prompt.system = "one";
  EXPECT_EQ(asked.member("systemInstruction"), R"({"parts":[{"text":"one\n\ntwo"}]})");
  EXPECT_EQ(asked.member("contents"), R"([{"parts":[{"text":"hi"}],"role":"user"}])");
}

TEST(GeminiEncode, RefusesAConversationOfSystemMessagesAlone) {
  EXPECT_EQ(Asked(R"([{"role":"system","content":"x"}])").error(), "messages hold nothing but system messages");
}

TEST(GeminiEncode, CallsTheAssistantModelAndMergesNeighbours) {
  EXPECT_EQ(Asked(R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"},
                      {"role":"assistant","content":[{"type":"text","text":"c"},{"type":"text","text":""}]}])")
                .member("contents"),
            R"([{"parts":[{"text":"a"}],"role":"user"},{"parts":[{"text":"b"},{"text":"c"}],"role":"model"}])");
}

TEST(GeminiEncode, SendsImagesAsBytesOrByAddress) {
  EXPECT_EQ(Asked(R"([{"role":"user","content":[
                      {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0K"}},
                      {"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}])")
                .member("contents"),
            R"([{"parts":[{"inlineData":{"data":"iVBORw0K","mimeType":"image/png"}},)"
            R"({"fileData":{"fileUri":"https://example.com/a.png"}}],"role":"user"}])");
}

TEST(GeminiEncode, RefusesABrokenDataUrl) {
  EXPECT_EQ(Asked(R"([{"role":"user","content":[{"type":"image_url","image_url":"data:image/png,x"}]}])").error(),
            "data: URL of an image is not of the form data:image/png;base64,...");
}

TEST(GeminiEncode, PassesPartsOfItsOwnShape) {
  EXPECT_EQ(Asked(R"([{"role":"user","content":[{"fileData":{"fileUri":"files/1"}}]}])").member("contents"),
            R"([{"parts":[{"fileData":{"fileUri":"files/1"}}],"role":"user"}])");
}

constexpr const char *kToolTurns = R"([
    {"role":"user","content":"weather?"},
    {"role":"assistant","content":null,"tool_calls":[
      {"id":"c1","type":"function","function":{"name":"look","arguments":"{\"at\":1}"},
       "extra_content":{"google":{"thought_signature":"Sig"}}},
      {"id":"c2","type":"function","function":{"name":"feel","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"c2","content":"warm"},
    {"role":"tool","tool_call_id":"c1","content":"{\"sky\": \"blue\"}"}])";

TEST(GeminiEncode, SendsToolCallsWithTheirSignatures) {
  EXPECT_EQ(dump_json((*parse_json(Asked(kToolTurns).member("contents")))[1]),
            R"({"parts":[{"functionCall":{"args":{"at":1},"name":"look"},"thoughtSignature":"Sig"},)"
            R"({"functionCall":{"args":{},"name":"feel"}}],"role":"model"})");
}

TEST(GeminiEncode, SendsToolResultsByTheNameOfTheFunctionThatWasCalled) {
  EXPECT_EQ(dump_json((*parse_json(Asked(kToolTurns).member("contents")))[2]),
            R"({"parts":[{"functionResponse":{"name":"feel","response":{"result":"warm"}}},)"
            R"({"functionResponse":{"name":"look","response":{"sky":"blue"}}}],"role":"user"})");
}

TEST(GeminiEncode, RefusesAToolResultWithoutACall) {
  EXPECT_EQ(Asked(R"([{"role":"tool","tool_call_id":"c9","content":"x"}])").error(),
            "tool message answers no tool call of the messages before it");
}

TEST(GeminiEncode, RefusesArgumentsThatAreNoObject) {
  EXPECT_EQ(Asked(R"([{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"["}}]}])").error(),
            "arguments of a tool call in the messages are no JSON object");
}

// ---- encode: params

TEST(GeminiParams, AreTranslatedFromOpenAis) {
  EXPECT_EQ(
      Asked()
          .with_params(R"({"temperature": 0.5, "top_p": 0.9, "top_k": 4, "seed": 1, "max_tokens": 7, "stop": "END",
                                 "frequency_penalty": 0.1, "presence_penalty": 0.2})")
          .member("generationConfig"),
      R"({"frequencyPenalty":0.1,"maxOutputTokens":7,"presencePenalty":0.2,"seed":1,"stopSequences":["END"],)"
      R"("temperature":0.5,"topK":4,"topP":0.9})");
}

TEST(GeminiParams, OfItsOwnShapeAreMergedAndWin) {
  Asked asked;
  asked.with_params(R"({"temperature": 0.5, "max_tokens": 7, "safetySettings": [],
                        "generationConfig": {"maxOutputTokens": 9, "thinkingConfig": {"thinkingBudget": 0}}})");
  EXPECT_EQ(asked.member("generationConfig"),
            R"({"maxOutputTokens":9,"temperature":0.5,"thinkingConfig":{"thinkingBudget":0}})");
  EXPECT_EQ(asked.member("safetySettings"), "[]");
}

TEST(GeminiParams, NeverReplaceTheCallItself) {
  EXPECT_EQ(Asked()
                .with_params(
                    R"({"model": "dear", "messages": [], "contents": [], "systemInstruction": {},
                                 "system_instruction": {},
                                 "stream": true, "cachedContent": null})")
                .body(),
            Asked().body());
}

TEST(GeminiParams, AreLeftOutWhereOnlyOpenAiKnowsThem) {
  EXPECT_EQ(Asked().with_params(R"({"n": 2, "user": "u", "logit_bias": {}, "parallel_tool_calls": true})").body(),
            Asked().body());
}

TEST(GeminiParams, AskForJson) {
  EXPECT_EQ(Asked().with_params(R"({"response_format": {"type": "json_object"}})").member("generationConfig"),
            R"({"maxOutputTokens":100,"responseMimeType":"application/json"})");
  EXPECT_EQ(Asked()
                .with_params(R"({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": true,
                                 "schema": {"type": "object"}}}})")
                .member("generationConfig"),
            R"({"maxOutputTokens":100,"responseJsonSchema":{"type":"object"},"responseMimeType":"application/json"})");
  EXPECT_EQ(Asked().with_params(R"({"response_format": {"type": "text"}})").body(), Asked().body());
}

TEST(GeminiParams, ToolsOfBothShapesMayStandTogether) {
  EXPECT_EQ(Asked()
                .with_params(R"({"tools": [{"googleSearch": {}},
                    {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}},
                    {"type": "function", "function": {"name": "g"}}]})")
                .member("tools"),
            R"([{"googleSearch":{}},{"functionDeclarations":[)"
            R"({"description":"d","name":"f","parametersJsonSchema":{"type":"object"}},{"name":"g"}]}])");
}

TEST(GeminiParams, ToolChoiceIsTranslatedFromOpenAis) {
  const std::pair<const char *, const char *> choices[] = {
      {R"("auto")", R"({"functionCallingConfig":{"mode":"AUTO"}})"},
      {R"("none")", R"({"functionCallingConfig":{"mode":"NONE"}})"},
      {R"("required")", R"({"functionCallingConfig":{"mode":"ANY"}})"},
      {R"({"type":"function","function":{"name":"f"}})",
       R"({"functionCallingConfig":{"allowedFunctionNames":["f"],"mode":"ANY"}})"},
      {R"("sometimes")", "missing"}};
  for (const auto &[theirs, own] : choices)
    EXPECT_EQ(Asked().with_params((R"({"tool_choice":)" + std::string(theirs) + "}").c_str()).member("toolConfig"),
              own);
}

TEST(GeminiParams, AToolConfigOfItsOwnShapeWins) {
  EXPECT_EQ(Asked().with_params(R"({"tool_choice": "auto", "toolConfig": {"x": 1}})").member("toolConfig"),
            R"({"x":1})");
}

// ---- decode: answers

TEST(GeminiDecode, ReadsAPlainAnswer) {
  const Answer answer = gemini().answer("answer.json");
  EXPECT_EQ(answer.text, "Hello! What can I do?");
  EXPECT_EQ(answer.finish_reason, "stop");
  EXPECT_EQ(answer.model, "gemini-2.5-flash");
  EXPECT_TRUE(answer.tool_calls.is_null());
  EXPECT_TRUE(answer.usage_known);
  EXPECT_EQ(answer.usage, (Usage{.input = 4, .output = 7}));
}

TEST(GeminiDecode, ReadsFunctionCallsInOpenAisShape) {
  const Answer answer = gemini().answer("tool_call.json");
  EXPECT_EQ(answer.finish_reason, "tool_calls");
  ASSERT_EQ(answer.tool_calls.size(), 2U);
  EXPECT_EQ(dump_json(answer.tool_calls[0]["function"]),
            R"({"arguments":"{\"location\":\"Boston, MA\"}","name":"get_weather"})");
  EXPECT_EQ(dump_json(answer.tool_calls[1]),
            R"({"function":{"arguments":"{}","name":"get_time"},"id":"its-own-id","type":"function"})");
}

TEST(GeminiDecode, KeepsTheSignatureOfACall) {
  EXPECT_EQ(dump_json(gemini().answer("tool_call.json").tool_calls[0]["extra_content"]),
            R"({"google":{"thought_signature":"CvcQAdHtim9"}})");
}

std::string ids_of(const std::string &parts) {
  const std::string body = R"({"candidates":[{"content":{"parts":[)" + parts + "]}}]}";
  const Answer answer = answer_of(gemini().decode(200, body));
  std::string ids;
  for (const Json &call : answer.tool_calls) ids.append(json_string(call, "id")) += ' ';
  return ids;
}

TEST(GeminiDecode, MakesIdsThatAreTheSameForTheSameAnswerAndDifferInsideIt) {
  const std::string call = R"({"functionCall":{"name":"f","args":{"a":1}}})";
  const std::string ids = ids_of(call + "," + call);
  EXPECT_EQ(ids, ids_of(call + "," + call));
  EXPECT_NE(ids.substr(0, ids.find(' ')), ids.substr(ids.find(' ') + 1, ids.find(' ')));
  EXPECT_NE(ids_of(call), ids_of(R"({"functionCall":{"name":"f","args":{"a":2}}})"));
}

TEST(GeminiDecode, TakesAFilteredAnswerAsAnAnswerBecauseItWasBilled) {
  const Answer answer = gemini().answer("content_filter.json");
  EXPECT_EQ(answer.finish_reason, "content_filter");
  EXPECT_EQ(answer.text, "");
  EXPECT_EQ(answer.usage.input, 9);
}

TEST(GeminiDecode, CallsABlockedPromptAFailure) {
  const Failure failure = gemini().failure(200, "blocked_prompt.json");
  EXPECT_EQ(failure.kind, FailureClass::content_filter);
  EXPECT_EQ(failure.message, "HTTP 200: the prompt was blocked: PROHIBITED_CONTENT");
}

TEST(GeminiDecode, KnowsWhatABlockedPromptIsBilled) {
  HttpResponse response;
  response.body = gemini().fixture("blocked_prompt.json");
  EXPECT_EQ(gemini().format().billed_usage(response), (Usage{.input = 12559}));
  response.body = gemini().fixture("error_unavailable.json");
  EXPECT_EQ(gemini().format().billed_usage(response), std::nullopt);
}

TEST(GeminiDecode, BoundsAndCleansTheReasonOfABlock) {
  const Failure failure = failure_of(gemini().decode(
      200, R"({"promptFeedback":{"blockReason":"\u0000)" + std::string(kSecret) + std::string(9000, 'x') + "\"}}"));
  EXPECT_TRUE(is_clean_text(failure.message));
  EXPECT_LE(failure.message.size(), 300U);
  EXPECT_EQ(failure.message.find(kSecret), std::string::npos);
}

TEST(GeminiDecode, TellsATruncatedAnswerThatHasNoText) {
  const Answer answer = gemini().answer("truncated.json");
  EXPECT_EQ(answer.finish_reason, "length");
  EXPECT_EQ(answer.text, "");
}

TEST(GeminiDecode, TellsThoughtsFromTheText) {
  EXPECT_EQ(gemini().answer("cached_reasoning.json").text, "42");
  EXPECT_EQ(gemini().answer("cached_reasoning.json").reasoning, "Let me think.");
}

TEST(GeminiDecode, MapsFinishReasonsToTheCommonOnes) {
  const std::pair<const char *, const char *> reasons[] = {{"STOP", "stop"},
                                                           {"MAX_TOKENS", "length"},
                                                           {"SAFETY", "content_filter"},
                                                           {"RECITATION", "content_filter"},
                                                           {"BLOCKLIST", "content_filter"},
                                                           {"PROHIBITED_CONTENT", "content_filter"},
                                                           {"SPII", "content_filter"},
                                                           {"MALFORMED_FUNCTION_CALL", "MALFORMED_FUNCTION_CALL"}};
  for (const auto &[theirs, ours] : reasons) {
    const std::string body = R"({"candidates":[{"finishReason":")" + std::string(theirs) + "\"}]}";
    EXPECT_EQ(answer_of(gemini().decode(200, body)).finish_reason, ours);
  }
}

TEST(GeminiDecode, CleansAllThatIsStored) {
  const Answer answer = answer_of(gemini().decode(200, R"({"modelVersion":"m\u0000","candidates":[{
      "finishReason":"f\u0000","content":{"parts":[{"text":"\u0000"},{"thoughtSignature":"\u0000",
      "functionCall":{"name":"n\u0000","id":"\u0000","args":{"k\u0000":"\u0000"}}}]}}]})"));
  for (const std::string &text : {answer.model, answer.finish_reason, answer.text, dump_json(answer.tool_calls)}) {
    EXPECT_EQ(text.find("u0000"), std::string::npos) << text;
    EXPECT_NE(text.find("\xEF\xBF\xBD"), std::string::npos) << text;
  }
}

TEST(GeminiDecode, SurvivesPartsOfEveryKind) {
  EXPECT_EQ(answer_of(gemini().decode(200, R"({"candidates":[{"content":{"parts":[null,5,"x",[],{},{"text":{}},
      {"thought":7},{"functionCall":5},{"executableCode":{}},{"text":"a"}]}}]})"))
                .text,
            "a");
}

TEST(GeminiDecode, CallsASuccessGarbledThatCannotBeUnderstood) {
  for (const std::string &body :
       {std::string(), std::string("<html>"), gemini().fixture("answer.json").substr(0, 90), std::string("[]"),
        std::string("{}"), std::string(R"({"candidates":[]})"), std::string(R"({"candidates":[5]})"),
        std::string(R"({"candidates":[{}]})"), std::string(R"({"candidates":[{"content":null}]})"),
        std::string(R"({"promptFeedback":{}})")})
    EXPECT_EQ(failure_of(gemini().decode(200, body)).kind, FailureClass::garbled) << body;
}

// ---- decode: usage

TEST(GeminiUsage, TakesCachedTokensOutOfTheInputAndAddsThoughtsToTheOutput) {
  EXPECT_EQ(gemini().answer("cached_reasoning.json").usage,
            (Usage{.input = 200, .cache_read = 2027, .output = 331, .reasoning = 310}));
}

TEST(GeminiUsage, CountsThoughtsWithoutAText) {
  EXPECT_EQ(gemini().answer("truncated.json").usage, (Usage{.input = 8, .output = 99, .reasoning = 99}));
}

TEST(GeminiUsage, IsNotKnownWhereItIsMissing) {
  for (const char *usage : {"null", "{}", "5", R"({"promptTokenCount":"many"})"}) {
    const std::string body = R"({"candidates":[{"content":{}}],"usageMetadata":)" + std::string(usage) + "}";
    EXPECT_FALSE(answer_of(gemini().decode(200, body)).usage_known) << usage;
  }
}

TEST(GeminiUsage, DoesNotTrustAbsurdNumbers) {
  const Usage usage = answer_of(gemini().decode(200, R"({"candidates":[{"content":{}}],"usageMetadata":{
      "promptTokenCount":10,"cachedContentTokenCount":99,"toolUsePromptTokenCount":9e17,
      "candidatesTokenCount":9223372036854775807,"thoughtsTokenCount":-3}})"))
                          .usage;
  EXPECT_EQ(usage, (Usage{.input = 999'999'990, .cache_read = 10, .output = 1'000'000'000}));
}

// ---- decode: errors

TEST(GeminiErrors, ARateLimitWaitsExactlyAsLongAsItsRetryInfoSays) {
  const Failure failure = gemini().failure(429, "error_rate_limit.json");
  EXPECT_EQ(failure.kind, FailureClass::rate_limited);
  EXPECT_EQ(failure.retry_after, 38500ms);
}

TEST(GeminiErrors, ADailyQuotaIsNoRateLimit) {
  EXPECT_EQ(gemini().kind(429, "error_daily_quota.json"), FailureClass::quota);
}

TEST(GeminiErrors, OverloadAndTroubleOfTheServerPass) {
  EXPECT_EQ(gemini().kind(503, "error_unavailable.json"), FailureClass::transient);
  EXPECT_EQ(gemini().kind(500, "error_internal.json"), FailureClass::transient);
}

TEST(GeminiErrors, TellTheKeysFaultAlsoUnderA400) {
  EXPECT_EQ(gemini().kind(400, "error_api_key.json"), FailureClass::credential);
  EXPECT_EQ(gemini().kind(403, "error_permission.json"), FailureClass::credential);
}

TEST(GeminiErrors, TellTheRequestsFault) {
  EXPECT_EQ(gemini().kind(400, "error_invalid.json"), FailureClass::invalid);
  EXPECT_EQ(gemini().kind(400, "error_precondition.json"), FailureClass::invalid);
  EXPECT_EQ(gemini().kind(404, "error_not_found.json"), FailureClass::invalid);
}

TEST(GeminiErrors, TellAPromptThatIsTooLong) {
  EXPECT_EQ(gemini().kind(400, "error_prompt_too_long.json"), FailureClass::context_length);
}

TEST(GeminiErrors, AreReadWhereTheyAreWrappedInAnArray) {
  EXPECT_EQ(failure_of(gemini().decode(503, "[" + gemini().fixture("error_unavailable.json") + "]")).message,
            "HTTP 503: The model is overloaded. Please try again later.");
}

}  // namespace
}  // namespace agent_queue
