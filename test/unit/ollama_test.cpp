// Ollama's chat: what is sent for a conversation in OpenAI's shape, and the golden answers and errors of
// fixtures/ollama.
#include <gtest/gtest.h>

#include "core/wire/text_clean.hpp"
#include "unit/format_under_test.hpp"

namespace agent_queue {
namespace {

using decoded::answer_of;
using decoded::failure_of;

const FormatUnderTest &ollama() {
  static const FormatUnderTest format("ollama");
  return format;
}

struct Asked : AskedCall {
  Asked() : AskedCall(ollama()) {}
  explicit Asked(const char *messages) : AskedCall(ollama(), messages) {}
};

// ---- encode

TEST(OllamaEncode, PostsToApiChatWithoutStreaming) {
  Asked asked;
  EXPECT_EQ(asked.encoded()->url, "https://api.example.com/v1/api/chat");
  EXPECT_EQ(
      asked.body(),
      R"({"model":"model-1","messages":[{"role":"user","content":"hi"}],"stream":false,"options":{"num_predict":100}})");
}

TEST(OllamaEncode, SendsAKeyOnlyWhereThereIsOne) {
  Asked asked;
  EXPECT_EQ(asked.header("authorization"), "Bearer key-of-the-provider-1234");
  asked.call.api_key = {};
  EXPECT_EQ(asked.header("authorization"), "none");
}

TEST(OllamaEncode, RefusesWhatNoFormatCanSend) {
  Asked asked;
  asked.call.model = {};
  EXPECT_EQ(asked.error(), "route has no model");
}

TEST(OllamaEncode, SendsNoOptionsWhereThereAreNone) {
  Asked asked;
  asked.call.max_output_tokens = 0;
  EXPECT_EQ(asked.member("options"), "missing");
}

TEST(OllamaEncode, PutsTheSystemPromptFirst) {
  Asked asked(R"([{"role":"developer","content":"b"},{"role":"user","content":"c"}])");
  asked.prompt.system = "a";
  EXPECT_EQ(asked.member("messages"),
            R"([{"content":"a","role":"system"},{"content":"b","role":"system"},{"content":"c","role":"user"}])");
}

TEST(OllamaEncode, WritesValidJsonForASystemPromptAlone) {
  Asked asked("[]");
  asked.prompt.system = "s";
  EXPECT_EQ(asked.member("messages"), R"([{"content":"s","role":"system"}])");
}

TEST(OllamaEncode, TakesTheBytesOfImagesOutOfTheParts) {
  EXPECT_EQ(Asked(R"([{"role":"user","content":[{"type":"text","text":"what "},{"type":"text","text":"is it"},
                      {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0K"}},
                      {"type":"image_url","image_url":{"url":"data:image/jpeg;base64,AAAA"}}]}])")
                .member("messages"),
            R"([{"content":"what is it","images":["iVBORw0K","AAAA"],"role":"user"}])");
}

TEST(OllamaEncode, RefusesAnImageByItsAddressBecauseTheServerFetchesNothing) {
  EXPECT_EQ(
      Asked(R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://e.com/a.png"}}]}])").error(),
      "Ollama takes no image by its address");
}

TEST(OllamaEncode, PassesImagesOfItsOwnShape) {
  EXPECT_EQ(Asked(R"([{"role":"user","content":"x","images":["AAAA"]}])").member("messages"),
            R"([{"content":"x","images":["AAAA"],"role":"user"}])");
}

TEST(OllamaEncode, SendsToolCallsWithArgumentsAsObjectsAndResultsByName) {
  EXPECT_EQ(Asked(R"([{"role":"assistant","content":null,"tool_calls":[
                      {"id":"c1","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}}]},
                      {"role":"tool","tool_call_id":"c1","content":"sunny"}])")
                .member("messages"),
            R"([{"content":"","role":"assistant","tool_calls":[{"function":{"arguments":{"at":1},"name":"look"}}]},)"
            R"({"content":"sunny","role":"tool","tool_name":"look"}])");
}

TEST(OllamaEncode, RefusesArgumentsThatAreNoObject) {
  EXPECT_EQ(Asked(R"([{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"["}}]}])").error(),
            "arguments of a tool call in the messages are no JSON object");
}

TEST(OllamaParams, GoIntoTheOptions) {
  EXPECT_EQ(Asked()
                .with_params(R"({"temperature": 0.5, "top_p": 0.9, "seed": 1, "max_tokens": 7, "stop": "END",
                                 "num_ctx": 8192})")
                .member("options"),
            R"({"num_ctx":8192,"num_predict":7,"seed":1,"stop":["END"],"temperature":0.5,"top_p":0.9})");
}

TEST(OllamaParams, OptionsOfItsOwnShapeWin) {
  EXPECT_EQ(Asked()
                .with_params(R"({"temperature": 0.5, "max_tokens": 7, "options": {"num_predict": 9, "mirostat": 1}})")
                .member("options"),
            R"({"mirostat":1,"num_predict":9,"temperature":0.5})");
}

TEST(OllamaParams, PassThrough) {
  Asked asked;
  asked.with_params(R"({"keep_alive": "10m", "think": false, "tools": [{"type": "function"}]})");
  EXPECT_EQ(asked.member("keep_alive"), R"("10m")");
  EXPECT_EQ(asked.member("think"), "false");
  EXPECT_EQ(asked.member("tools"), R"([{"type":"function"}])");
}

TEST(OllamaParams, NeverReplaceTheCallItselfNorStream) {
  EXPECT_EQ(Asked().with_params(R"({"model": "dear", "messages": [], "stream": true, "n": 3, "think": null})").body(),
            Asked().body());
}

TEST(OllamaParams, AskForJson) {
  EXPECT_EQ(Asked().with_params(R"({"response_format": {"type": "json_object"}})").member("format"), R"("json")");
  EXPECT_EQ(
      Asked()
          .with_params(R"({"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}})")
          .member("format"),
      R"({"type":"object"})");
  EXPECT_EQ(Asked().with_params(R"({"response_format": {"type": "text"}})").member("format"), "missing");
  EXPECT_EQ(Asked().with_params(R"({"response_format": {"type": "json_object"}, "format": {"x": 1}})").member("format"),
            R"({"x":1})");
}

// ---- decode: answers

TEST(OllamaDecode, ReadsAPlainAnswer) {
  const Answer answer = ollama().answer("answer.json");
  EXPECT_EQ(answer.text, "Hello! How are you today?");
  EXPECT_EQ(answer.finish_reason, "stop");
  EXPECT_EQ(answer.model, "llama3.2");
  EXPECT_TRUE(answer.tool_calls.is_null());
  EXPECT_TRUE(answer.usage_known);
  EXPECT_EQ(answer.usage, (Usage{.input = 26, .output = 298}));
}

TEST(OllamaDecode, ReadsToolCallsInOpenAisShape) {
  const Answer answer = ollama().answer("tool_call.json");
  EXPECT_EQ(answer.finish_reason, "tool_calls");
  ASSERT_EQ(answer.tool_calls.size(), 2U);
  EXPECT_EQ(dump_json(answer.tool_calls[0]["function"]),
            R"({"arguments":"{\"format\":\"celsius\",\"location\":\"Paris, FR\"}","name":"get_current_weather"})");
  EXPECT_EQ(json_string(answer.tool_calls[1], "id"), "call_own");
}

TEST(OllamaDecode, MakesTheSameIdForTheSameCall) {
  const std::string id(json_string(ollama().answer("tool_call.json").tool_calls[0], "id"));
  EXPECT_EQ(id, json_string(ollama().answer("tool_call.json").tool_calls[0], "id"));
  EXPECT_TRUE(id.starts_with("call_") && id.ends_with("_0") && id.size() == 23U) << id;
}

TEST(OllamaDecode, LeavesTheThinkingOutOfTheText) {
  EXPECT_EQ(ollama().answer("thinking.json").text, "Hi.");
  EXPECT_EQ(ollama().answer("thinking.json").reasoning, "They greet me.");
}

TEST(OllamaDecode, TellsATruncatedAnswer) {
  EXPECT_EQ(ollama().answer("truncated.json").finish_reason, "length");
}

TEST(OllamaDecode, CleansAllThatIsStored) {
  const Answer answer = answer_of(ollama().decode(200, R"({"model":"m\u0000","done_reason":"f\u0000","message":{
      "content":"\u0000","tool_calls":[{"id":"\u0000","function":{"name":"n\u0000","arguments":{"k\u0000":1}}}]}})"));
  for (const std::string &text : {answer.model, answer.finish_reason, answer.text, dump_json(answer.tool_calls)}) {
    EXPECT_EQ(text.find("u0000"), std::string::npos) << text;
    EXPECT_NE(text.find("\xEF\xBF\xBD"), std::string::npos) << text;
  }
}

TEST(OllamaDecode, SurvivesToolCallsOfEveryKind) {
  const Answer answer = answer_of(ollama().decode(200, R"({"message":{"content":"a","tool_calls":[5,{},
      {"function":7},{"function":{"arguments":"x"}}]}})"));
  EXPECT_EQ(answer.text, "a");
  EXPECT_EQ(answer.tool_calls.size(), 4U);
}

TEST(OllamaDecode, CallsASuccessGarbledThatCannotBeUnderstood) {
  for (const std::string &body :
       {std::string(), std::string("<html>"), ollama().fixture("answer.json").substr(0, 90), std::string("[]"),
        std::string("{}"), std::string(R"({"message":"hi"})"), std::string(R"({"response":"of /api/generate"})")})
    EXPECT_EQ(failure_of(ollama().decode(200, body)).kind, FailureClass::garbled) << body;
}

// ---- decode: usage

TEST(OllamaUsage, IsKnownWhereThePromptWasInMemory) {
  const Answer answer = ollama().answer("prompt_in_memory.json");
  EXPECT_TRUE(answer.usage_known);
  EXPECT_EQ(answer.usage, (Usage{.output = 3}));
}

TEST(OllamaUsage, IsNotKnownWhereItIsMissing) {
  EXPECT_FALSE(answer_of(ollama().decode(200, R"({"message":{"content":"x"},"eval_count":"many"})")).usage_known);
}

TEST(OllamaUsage, DoesNotTrustAbsurdNumbers) {
  EXPECT_EQ(answer_of(ollama().decode(200, R"({"message":{},"prompt_eval_count":-7,"eval_count":9e17})")).usage,
            (Usage{.output = 1'000'000'000}));
}

// ---- decode: errors

TEST(OllamaErrors, AnErrorInA200IsAnError) {
  const Failure failure = ollama().failure(200, "error_runner.json");
  EXPECT_EQ(failure.kind, FailureClass::transient);
  EXPECT_EQ(failure.message, "HTTP 200: llama runner process has terminated: signal: killed");
}

TEST(OllamaErrors, AFullQueuePasses) {
  EXPECT_EQ(ollama().kind(503, "error_busy.json"), FailureClass::transient);
}

TEST(OllamaErrors, TroubleOfTheServerPasses) {
  EXPECT_EQ(ollama().kind(500, "error_runner.json"), FailureClass::transient);
}

TEST(OllamaErrors, TellTheRequestsFault) {
  EXPECT_EQ(ollama().kind(404, "error_not_found.json"), FailureClass::invalid);
  EXPECT_EQ(ollama().kind(400, "error_no_tools.json"), FailureClass::invalid);
}

TEST(OllamaErrors, TellAPromptThatIsTooLong) {
  EXPECT_EQ(ollama().kind(400, "error_context_length.json"), FailureClass::context_length);
}

}  // namespace
}  // namespace agent_queue
