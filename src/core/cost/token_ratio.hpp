// How many tokens a text comes to, before and after a provider has counted any. Pure. Tested in
// test/unit/token_ratio_test.cpp.
#pragma once

#include <cstdint>

namespace agent_queue {

// What holds of a model that nothing is known of.
inline constexpr double kLettersPerToken = 4;
inline constexpr double kOutputPerInput = 0.75;

struct TokenEstimate {
  std::int64_t input = 0;
  std::int64_t output = 0;
};

// What providers counted for prompts of known length, and how far the estimate was off each time before it knew.
struct TokenRatio {
  std::int64_t samples = 0;
  std::int64_t letters = 0;  // of the prompts
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  double input_error = 0;   // the sum over the samples of |estimated - counted| / counted
  double output_error = 0;  // where output was counted

  TokenEstimate estimate(std::int64_t letters_of_prompt) const;
  void learn(std::int64_t letters_of_prompt, std::int64_t input, std::int64_t output);
  TokenRatio operator-(const TokenRatio &other) const;
};

}  // namespace agent_queue
