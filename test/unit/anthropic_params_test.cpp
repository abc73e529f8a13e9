// Anthropic's messages: what becomes of an agent type's params, which are OpenAI's, on their way there.
#include <gtest/gtest.h>

#include "unit/format_under_test.hpp"

namespace agent_queue {
namespace {

struct Asked : AskedCall {
  Asked() : AskedCall(FormatUnderTest("anthropic")) {}
};

TEST(AnthropicParams, BoundTheOutputBeforeTheCallDoes) {
  EXPECT_EQ(Asked().with_params(R"({"max_completion_tokens": 7})").member("max_tokens"), "7");
  EXPECT_EQ(Asked().with_params(R"({"max_completion_tokens": 7, "max_tokens": 5})").member("max_tokens"), "5");
  EXPECT_EQ(Asked().with_params(R"({"max_tokens": null})").member("max_tokens"), "100");
}

TEST(AnthropicParams, PassThrough) {
  Asked asked;
  asked.with_params(R"({"temperature": 0.5, "thinking": {"type": "enabled", "budget_tokens": 50}, "top_k": 3})");
  EXPECT_EQ(asked.member("temperature"), "0.5");
  EXPECT_EQ(asked.member("thinking"), R"({"budget_tokens":50,"type":"enabled"})");
  EXPECT_EQ(asked.member("top_k"), "3");
}

TEST(AnthropicParams, NeverReplaceTheCallItselfNorStream) {
  EXPECT_EQ(
      Asked().with_params(R"({"model": "dear", "messages": [], "system": "x", "stream": true, "top_p": null})").body(),
      Asked().body());
}

TEST(AnthropicParams, AreIgnoredWhereTheyAreNoObject) {
  EXPECT_EQ(Asked().with_params("[1]").body(), Asked().body());
}

TEST(AnthropicParams, AreLeftOutWhereOnlyOpenAiKnowsThem) {
  EXPECT_EQ(Asked()
                .with_params(R"({"n": 1, "seed": 1, "logprobs": true, "frequency_penalty": 1, "presence_penalty": 1,
                                 "reasoning_effort": "low", "response_format": {"type": "text"}})")
                .body(),
            Asked().body());
}

TEST(AnthropicParams, StopBecomesStopSequences) {
  EXPECT_EQ(Asked().with_params(R"({"stop": "END"})").member("stop_sequences"), R"(["END"])");
  EXPECT_EQ(Asked().with_params(R"({"stop": ["a", "b"]})").member("stop_sequences"), R"(["a","b"])");
  EXPECT_EQ(Asked().with_params(R"({"stop": ["a"], "stop_sequences": ["c"]})").member("stop_sequences"), R"(["c"])");
}

TEST(AnthropicParams, UserBecomesMetadata) {
  EXPECT_EQ(Asked().with_params(R"({"user": "u1"})").member("metadata"), R"({"user_id":"u1"})");
  EXPECT_EQ(Asked().with_params(R"({"user": "u1", "metadata": {"user_id": "m"}})").member("metadata"),
            R"({"user_id":"m"})");
}

TEST(AnthropicParams, ToolsOfBothShapesMayStandTogether) {
  EXPECT_EQ(Asked()
                .with_params(R"({"tools": [
                    {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"},
                     "strict": true}},
                    {"type": "function", "function": {"name": "g"}},
                    {"name": "own", "input_schema": {}}, {"type": "web_search_20250305", "name": "web_search"}]})")
                .member("tools"),
            R"([{"description":"d","input_schema":{"type":"object"},"name":"f","strict":true},)"
            R"({"input_schema":{"type":"object"},"name":"g"},)"
            R"({"input_schema":{},"name":"own"},{"name":"web_search","type":"web_search_20250305"}])");
}

TEST(AnthropicParams, ToolChoiceIsTranslatedFromOpenAis) {
  const std::pair<const char *, const char *> choices[] = {
      {R"("auto")", R"({"type":"auto"})"},
      {R"("none")", R"({"type":"none"})"},
      {R"("required")", R"({"type":"any"})"},
      {R"({"type":"function","function":{"name":"f"}})", R"({"name":"f","type":"tool"})"},
      {R"({"type":"tool","name":"own"})", R"({"name":"own","type":"tool"})"}};
  for (const auto &[theirs, own] : choices)
    EXPECT_EQ(Asked().with_params((R"({"tool_choice":)" + std::string(theirs) + "}").c_str()).member("tool_choice"),
              own);
}

TEST(AnthropicParams, OneToolAtATimeIsAPartOfTheChoice) {
  EXPECT_EQ(Asked().with_params(R"({"tools": [{"name": "f"}], "parallel_tool_calls": false})").member("tool_choice"),
            R"({"disable_parallel_tool_use":true,"type":"auto"})");
  EXPECT_EQ(Asked().with_params(R"({"parallel_tool_calls": false})").member("tool_choice"), "missing");
  EXPECT_EQ(Asked()
                .with_params(R"({"tools": [{"name": "f"}], "parallel_tool_calls": false, "tool_choice": "none"})")
                .member("tool_choice"),
            R"({"type":"none"})");
}

TEST(AnthropicParams, TheSchemaOfAResponseFormatIsAnOutputConfig) {
  constexpr const char *kFormat =
      R"("response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}})";
  EXPECT_EQ(Asked().with_params(("{" + std::string(kFormat) + "}").c_str()).member("output_config"),
            R"({"format":{"schema":{"type":"object"},"type":"json_schema"}})");
  EXPECT_EQ(Asked()
                .with_params(("{\"output_config\": {\"effort\": \"low\"}, " + std::string(kFormat) + "}").c_str())
                .member("output_config"),
            R"({"effort":"low","format":{"schema":{"type":"object"},"type":"json_schema"}})");
  EXPECT_EQ(Asked()
                .with_params(("{\"output_config\": {\"format\": {}}, " + std::string(kFormat) + "}").c_str())
                .member("output_config"),
            R"({"format":{}})")
      << "the API's own wins";
  EXPECT_EQ(Asked().with_params(("{" + std::string(kFormat) + "}").c_str()).member("system"), "missing");
}

TEST(AnthropicParams, AResponseFormatWithoutASchemaIsToldInWords) {
  Asked asked;
  asked.with_params(R"({"response_format": {"type": "json_object"}})");
  EXPECT_EQ(asked.member("system"), R"("Answer with a JSON object and with nothing else.")");
  asked.prompt.system = "be brief";
  EXPECT_EQ(asked.member("system"), R"("be brief\n\nAnswer with a JSON object and with nothing else.")");
  EXPECT_EQ(asked.member("output_config"), "missing");
  EXPECT_EQ(asked.member("response_format"), "missing");
}

}  // namespace
}  // namespace agent_queue
