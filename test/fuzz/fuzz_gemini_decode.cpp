// Any bytes as an answer of Gemini's, and as messages and params on their way to it. Seeds: corpus/fuzz_gemini_decode.
#include "decode_checks.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  agent_queue::fuzz::check_decode("gemini", bytes, size);
  agent_queue::fuzz::check_encode("gemini", bytes, size);
  return 0;
}
