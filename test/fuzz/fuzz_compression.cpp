// Any bytes as a prompt, with the shipped phrases and one that is cut out of the input: it comes back no longer, the
// same again changes nothing, and what is protected is there byte for byte. The first byte is the length of the phrase.
// Seeds: corpus/fuzz_compression.
#include <cstdint>
#include <cstdlib>

#include "core/prompt/compression.hpp"
#include "core/prompt/protected_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  using namespace agent_queue;
  if (size < 1) return 0;
  const std::string_view rest(reinterpret_cast<const char *>(bytes) + 1, size - 1);
  Phrasebook phrases;
  phrases.add("please", "");
  phrases.add("por favor", "");
  phrases.add("keep in mind that", "");
  phrases.add("información", "info");
  phrases.add("description", "desc");
  const std::size_t length = bytes[0] % 32;
  phrases.add(rest.substr(0, length), rest.substr(0, length / 2));
  phrases.add(rest.substr(0, length), "");

  const std::string shorter = compress_text(rest, phrases);
  if (shorter.size() > rest.size()) std::abort();
  if (compress_text(shorter, phrases) != shorter) std::abort();

  const std::vector<bool> flags = find_protected(rest);
  std::size_t found = 0;
  for (std::size_t begin = 0; begin < rest.size(); ++begin) {
    if (!flags[begin]) continue;
    std::size_t end = begin;
    while (end < rest.size() && flags[end]) ++end;
    const std::string_view part = rest.substr(begin, end - begin);
    const std::size_t at = shorter.find(part, found);
    if (at == std::string::npos) std::abort();
    found = at + part.size();
    begin = end;
  }
  return 0;
}
