#include "core/cost/token_ratio.hpp"

#include <cmath>
#include <cstdlib>

namespace agent_queue {

namespace {

double error_of(std::int64_t estimated, std::int64_t counted) {
  if (counted <= 0) return 0;
  return std::abs(static_cast<double>(estimated - counted)) / static_cast<double>(counted);
}

}  // namespace

TokenEstimate TokenRatio::estimate(std::int64_t letters_of_prompt) const {
  const bool is_known = letters > 0 && input_tokens > 0;
  const double per_letter =
      is_known ? static_cast<double>(input_tokens) / static_cast<double>(letters) : 1 / kLettersPerToken;
  const double output_per_input =
      is_known ? static_cast<double>(output_tokens) / static_cast<double>(input_tokens) : kOutputPerInput;
  const double input = std::ceil(static_cast<double>(letters_of_prompt) * per_letter);
  return {static_cast<std::int64_t>(input), static_cast<std::int64_t>(std::ceil(input * output_per_input))};
}

void TokenRatio::learn(std::int64_t letters_of_prompt, std::int64_t input, std::int64_t output) {
  const TokenEstimate expected = estimate(letters_of_prompt);
  input_error += error_of(expected.input, input);
  output_error += error_of(expected.output, output);
  ++samples;
  letters += letters_of_prompt;
  input_tokens += input;
  output_tokens += output;
}

TokenRatio TokenRatio::operator-(const TokenRatio &other) const {
  return {.samples = samples - other.samples,
          .letters = letters - other.letters,
          .input_tokens = input_tokens - other.input_tokens,
          .output_tokens = output_tokens - other.output_tokens,
          .input_error = input_error - other.input_error,
          .output_error = output_error - other.output_error};
}

}  // namespace agent_queue
