// Any bytes as an answer of OpenAI's, and as messages and params on their way to it and to those that speak its
// dialects. Seeds: corpus/fuzz_openai_decode.
#include "decode_checks.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  agent_queue::fuzz::check_decode("openai", bytes, size);
  agent_queue::fuzz::check_decode("openai", bytes, size, "openrouter");
  for (const char *dialect : {"", "openai", "azure", "deepseek", "mistral", "groq", "openrouter", "llamacpp", "vllm"})
    agent_queue::fuzz::check_encode("openai", bytes, size, dialect);
  return 0;
}
