// Any bytes as an answer of Ollama's, and as messages and params on their way to it. Seeds: corpus/fuzz_ollama_decode.
#include "decode_checks.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  agent_queue::fuzz::check_decode("ollama", bytes, size);
  agent_queue::fuzz::check_encode("ollama", bytes, size);
  return 0;
}
