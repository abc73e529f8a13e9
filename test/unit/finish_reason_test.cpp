// Goal: refusals, truncation, filters and tool calls are told apart by the same words, whoever answered. Method: the
// fixtures of every format, with what the job's result says of them.
#include <gtest/gtest.h>

#include "unit/format_under_test.hpp"

namespace agent_queue {
namespace {

struct Ending {
  const char *format;
  const char *file;
  const char *finish_reason;
};

class FinishReason : public testing::TestWithParam<Ending> {
 protected:
  static Json result() {
    const Answer answer = FormatUnderTest(GetParam().format).answer(GetParam().file);
    AnswerParts parts;
    parts.text = answer.text;
    parts.model = answer.model;
    parts.finish_reason = answer.finish_reason;
    parts.refusal = answer.refusal;
    parts.tool_calls = &answer.tool_calls;
    return render_result(nullptr, parts);
  }
};

TEST_P(FinishReason, IsOneOfTheCommonWords) {
  EXPECT_EQ(json_string(result(), "finish_reason"), GetParam().finish_reason) << GetParam().file;
}

TEST_P(FinishReason, ComesWithToolCallsExactlyWhereItSaysSo) {
  EXPECT_EQ(result().contains("tool_calls"), std::string_view(GetParam().finish_reason) == "tool_calls");
}

TEST_P(FinishReason, ComesWithTheWordsOfARefusalOnlyWhereItIsOne) {
  if (std::string_view(GetParam().finish_reason) == "refusal") return;
  EXPECT_FALSE(result().contains("refusal"));
}

INSTANTIATE_TEST_SUITE_P(
    OfEachFormat, FinishReason,
    testing::Values(Ending{"openai", "answer.json", "stop"}, Ending{"openai", "truncated.json", "length"},
                    Ending{"openai", "tool_call.json", "tool_calls"},
                    Ending{"openai", "vllm_tool_call.json", "tool_calls"},
                    Ending{"openai", "content_filter.json", "content_filter"},
                    Ending{"openai", "azure_content_filter.json", "content_filter"},
                    Ending{"openai", "refusal.json", "refusal"}, Ending{"anthropic", "answer.json", "stop"},
                    Ending{"anthropic", "truncated.json", "length"},
                    Ending{"anthropic", "tool_call.json", "tool_calls"}, Ending{"anthropic", "refusal.json", "refusal"},
                    Ending{"gemini", "answer.json", "stop"}, Ending{"gemini", "truncated.json", "length"},
                    Ending{"gemini", "tool_call.json", "tool_calls"},
                    Ending{"gemini", "content_filter.json", "content_filter"}, Ending{"ollama", "answer.json", "stop"},
                    Ending{"ollama", "truncated.json", "length"}, Ending{"ollama", "tool_call.json", "tool_calls"}));

}  // namespace
}  // namespace agent_queue
