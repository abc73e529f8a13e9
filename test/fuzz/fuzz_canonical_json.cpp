// Any bytes as JSON: what the parser takes has a canonical text, which is its own; where neither Unicode nor numbers
// beyond 64 bits are at stake, what the parser reads of the text has the same one. Seeds: corpus/fuzz_canonical_json.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "core/cache/canonical_json.hpp"

namespace {

using agent_queue::Json;

void check(bool holds) {
  if (!holds) std::abort();
}

bool has_doubles(const Json &value) {
  return value.is_number_float() || (value.is_structured() && std::any_of(value.begin(), value.end(), has_doubles));
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(bytes), size);
  const std::string normalized = agent_queue::normalize_text(text);
  check(agent_queue::normalize_text(normalized) == normalized);

  const auto parsed = agent_queue::parse_json(text);
  const auto canonical = agent_queue::canonical_json(text);
  check(canonical.ok() || !parsed.ok());
  if (!canonical.ok()) return 0;
  const auto again = agent_queue::canonical_json(*canonical);
  check(again.ok() && *again == *canonical);
  if (!parsed.ok()) return 0;

  const std::string dumped = agent_queue::dump_json(*parsed);
  if (is_ascii(dumped) && !has_doubles(*parsed)) {
    const auto reparsed = agent_queue::parse_json(*canonical);
    const auto of_dumped = agent_queue::canonical_json(dumped);
    check(reparsed.ok() && *reparsed == *parsed);
    check(of_dumped.ok() && *of_dumped == *canonical);
  }
  return 0;
}
