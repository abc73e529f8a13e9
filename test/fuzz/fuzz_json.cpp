// Any bytes as JSON: nothing crashes, what is accepted is within its bounds, and writing and reading it again gives the
// same value. Seeds: corpus/fuzz_json.
#include <cstdint>
#include <cstdlib>

#include "core/wire/json_read.hpp"
#include "core/wire/text_clean.hpp"

namespace {

using agent_queue::Json;

int depth_of(const Json &value) {
  int deepest = 0;
  if (!value.is_structured()) return 0;
  for (const Json &element : value) deepest = std::max(deepest, depth_of(element));
  return deepest + 1;
}

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(bytes), size);
  const auto strict = agent_queue::parse_json(text);
  auto lenient = agent_queue::parse_json_leniently(text);
  if (strict.ok()) {
    check(lenient.ok() && *lenient == *strict);
    check(depth_of(*strict) <= agent_queue::kJsonDepthMax);
    const std::string dumped = agent_queue::dump_json(*strict);
    const auto again = agent_queue::parse_json(dumped);
    check(again.ok() && agent_queue::dump_json(*again) == dumped);
  }
  if (lenient.ok()) {
    agent_queue::clean_json(*lenient);
    const std::string dumped = agent_queue::dump_json(*lenient);
    check(agent_queue::is_clean_text(dumped));
    agent_queue::json_int(*lenient, "a");
    agent_queue::json_string(*lenient, "a");
  }
  return 0;
}
