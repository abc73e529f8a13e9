// Any bytes as an answer of OpenAI's, and as messages and params on their way to it. Seeds: corpus/fuzz_openai_decode.
#include "decode_checks.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  agent_queue::fuzz::check_decode("openai", bytes, size);
  agent_queue::fuzz::check_encode("openai", bytes, size);
  return 0;
}
