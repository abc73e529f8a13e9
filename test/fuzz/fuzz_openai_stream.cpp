// Any bytes as a stream of OpenAI's, cut at random. Seeds: corpus/fuzz_openai_stream.
#include "stream_checks.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  agent_queue::fuzz::check_stream("openai", bytes, size);
  return 0;
}
