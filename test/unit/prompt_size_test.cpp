// A prompt is made shorter where its agent type says so, and measured.
#include "core/catalog/prompt_size.hpp"

#include <gtest/gtest.h>

namespace agent_queue {
namespace {

class PromptSizeTest : public ::testing::Test {
 protected:
  PromptSizeTest() {
    for (const char *language : {"en", ""}) catalog_.phrases[language].add("please", "");
    prompt_.messages = Json::array();
    type_.compress = true;
  }

  PromptSize shrink(const char *messages) {
    prompt_.messages = *parse_json(messages);
    return shrink_prompt(prompt_, type_, catalog_);
  }

  Catalog catalog_;
  AgentType type_;
  Prompt prompt_;
};

TEST_F(PromptSizeTest, CompressesWhatWeSayAndCountsItsLetters) {
  prompt_.system = "Please be kind.";
  const PromptSize size = shrink(R"([{"role": "user", "content": "Go on, please: ñ"}])");
  EXPECT_EQ(prompt_.system, "Be kind.");
  EXPECT_EQ(prompt_.messages[0]["content"], "Go on: ñ");
  EXPECT_EQ(size.letters, 16);
  EXPECT_EQ(size.letters_saved, 15);
  EXPECT_TRUE(size.is_sample);
}

TEST_F(PromptSizeTest, LeavesWhatTheModelOrAToolSaid) {
  const char *messages = R"([{"role":"assistant","content":"please go"},{"role":"tool","content":"please go"}])";
  EXPECT_EQ(shrink(messages).letters_saved, 0);
  EXPECT_EQ(prompt_.messages, *parse_json(messages));
}

TEST_F(PromptSizeTest, LeavesEverythingWhereItIsNotAskedFor) {
  type_.compress = false;
  prompt_.system = "Please be kind.";
  const PromptSize size = shrink(R"([{"role": "user", "content": "please go"}])");
  EXPECT_EQ(prompt_.system, "Please be kind.");
  EXPECT_EQ(size.letters, 24);
  EXPECT_FALSE(size.is_compressed);
}

TEST_F(PromptSizeTest, GoesByTheLanguageOfTheAgentType) {
  type_.compress_language = "es";
  EXPECT_EQ(shrink(R"([{"role": "user", "content": "please go"}])").letters_saved, 0);
  type_.compress_language = "en";
  EXPECT_GT(shrink(R"([{"role": "user", "content": "please go"}])").letters_saved, 0);
}

TEST_F(PromptSizeTest, CompressesTheTextPartsAndNotTheImages) {
  const PromptSize size = shrink(R"([{"role": "user", "content": [{"type": "text", "text": "please go"},
      {"type": "image_url", "image_url": {"url": "data:image/png;base64,please go"}}]}])");
  EXPECT_EQ(prompt_.messages[0]["content"][0]["text"], "go");
  EXPECT_EQ(size.letters, 2);
  EXPECT_FALSE(size.is_sample);
}

TEST_F(PromptSizeTest, SaysThatToolsAreBilledToo) {
  EXPECT_TRUE(shrink(R"([{"role": "user", "content": "x"}])").is_sample);
  EXPECT_FALSE(shrink(R"([{"role": "assistant", "content": null, "tool_calls": []}])").is_sample);
  type_.params = *parse_json(R"({"tools": []})");
  EXPECT_FALSE(shrink(R"([{"role": "user", "content": "x"}])").is_sample);
}

TEST_F(PromptSizeTest, TakesMessagesOfAnyShape) {
  EXPECT_FALSE(
      shrink(R"([{"role": "user", "content": 5}, {"role": "user", "content": [5, {"type": "text"}]}])").is_sample);
  EXPECT_TRUE(shrink(R"([{"role": "user"}, {"role": "user", "content": null}])").is_sample);
}

UsageRecord record_of(std::int64_t input, bool estimated = false) {
  UsageRecord record;
  record.usage.input = input;
  record.estimated = estimated;
  return record;
}

TEST(NotePrompt, CountsTheSavingInTokensOfThisVeryCall) {
  UsageRecord record = record_of(100);
  note_prompt(record, {.letters = 500, .letters_saved = 60, .is_compressed = true});
  EXPECT_EQ(record.compressed_tokens, 12);  // five letters a token
  EXPECT_EQ(record.prompt_letters, 500);
}

TEST(NotePrompt, OverstatesNothingWhereMoreThanTextIsBilled) {
  UsageRecord record = record_of(1000);
  note_prompt(record, {.letters = 500, .letters_saved = 60, .is_compressed = true, .is_sample = false});
  EXPECT_EQ(record.compressed_tokens, 30);
  EXPECT_EQ(record.prompt_letters, 0) << "nothing is learned from it";
}

TEST(NotePrompt, GoesByFourLettersWhereTheProviderDidNotSay) {
  UsageRecord record = record_of(1000, true);
  note_prompt(record, {.letters = 500, .letters_saved = 60, .is_compressed = true});
  EXPECT_EQ(record.compressed_tokens, 15);
  EXPECT_EQ(record.prompt_letters, 0);
}

TEST(NotePrompt, SaysNothingWhereNothingWasCompressed) {
  UsageRecord record = record_of(100);
  note_prompt(record, {.letters = 500});
  EXPECT_EQ(record.compressed_tokens, std::nullopt);
  EXPECT_EQ(record.prompt_letters, 500);
}

}  // namespace
}  // namespace agent_queue
