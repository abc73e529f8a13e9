// Any bytes as an answer of Anthropic's, and as messages and params on their way to it. Seeds:
// corpus/fuzz_anthropic_decode.
#include "decode_checks.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  agent_queue::fuzz::check_decode("anthropic", bytes, size);
  agent_queue::fuzz::check_encode("anthropic", bytes, size);
  return 0;
}
