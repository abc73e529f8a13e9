// Any bytes as a stream of Gemini's, cut at random. Seeds: corpus/fuzz_gemini_stream.
#include "stream_checks.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  agent_queue::fuzz::check_stream("gemini", bytes, size);
  return 0;
}
