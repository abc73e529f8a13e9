// Estimates of tokens: by the rule of thumb first, by what was counted then, with an error that is known.
#include "core/cost/token_ratio.hpp"

#include <gtest/gtest.h>

namespace agent_queue {
namespace {

TEST(TokenRatio, BeginsWithFourLettersATokenAndThreeQuartersOfThemAsOutput) {
  const TokenEstimate estimate = TokenRatio().estimate(401);
  EXPECT_EQ(estimate.input, 101);
  EXPECT_EQ(estimate.output, 76);
  EXPECT_EQ(TokenRatio().estimate(0).input, 0);
}

TEST(TokenRatio, GoesByWhatWasCounted) {
  TokenRatio ratio;
  ratio.learn(1000, 500, 50);
  ratio.learn(3000, 1500, 150);
  EXPECT_EQ(ratio.estimate(200).input, 100);
  EXPECT_EQ(ratio.estimate(200).output, 10);
}

TEST(TokenRatio, KnowsHowFarItWasOffEachTime) {
  TokenRatio ratio;
  ratio.learn(400, 200, 300);  // 100 and 75 were expected
  EXPECT_DOUBLE_EQ(ratio.input_error, 0.5);
  EXPECT_DOUBLE_EQ(ratio.output_error, 0.75);
  ratio.learn(400, 200, 300);  // as expected now
  EXPECT_DOUBLE_EQ(ratio.input_error, 0.5);
  EXPECT_EQ(ratio.samples, 2);
}

TEST(TokenRatio, TakesAnswersWithoutOutput) {
  TokenRatio ratio;
  ratio.learn(400, 100, 0);
  EXPECT_DOUBLE_EQ(ratio.output_error, 0);
  EXPECT_EQ(ratio.estimate(400).output, 0);
}

TEST(TokenRatio, SaysWhatWasLearnedSince) {
  TokenRatio before;
  before.learn(400, 200, 20);
  TokenRatio after = before;
  after.learn(100, 25, 5);  // 50 and 5 were expected
  const TokenRatio learned = after - before;
  EXPECT_EQ(learned.samples, 1);
  EXPECT_EQ(learned.letters, 100);
  EXPECT_EQ(learned.input_tokens, 25);
  EXPECT_EQ(learned.output_tokens, 5);
  EXPECT_DOUBLE_EQ(learned.input_error, 1);
  EXPECT_DOUBLE_EQ(learned.output_error, 0);
}

}  // namespace
}  // namespace agent_queue
