// Any bytes as text: what comes out is clean and within its bound, cleaning twice changes nothing more, and a secret
// never survives its redaction. The first byte is the bound, the second the length of the secret.
// Seeds: corpus/fuzz_text_clean.
#include <cstdint>
#include <cstdlib>

#include "core/wire/text_clean.hpp"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  using namespace agent_queue;
  if (size < 2) return 0;
  const std::size_t bound = bytes[0];
  const std::string_view text(reinterpret_cast<const char *>(bytes) + 2, size - 2);

  const std::string whole = clean_text(text);
  check(is_clean_text(whole));
  check(clean_text(whole) == whole);
  check(is_clean_text(text) == (whole == text));

  const std::string cut = clean_text(text, bound);
  check(is_clean_text(cut) && cut.size() <= bound);
  if (whole.size() <= bound) check(cut == whole);

  const std::string_view secret = text.substr(0, bytes[1] % 64);
  const std::string redacted = redact(text, secret);
  // A secret that is a part of the word "[redacted]", or made of it, may stand there by chance.
  if (secret.size() >= 8 && secret.find_first_of("[]redact") == std::string_view::npos)
    check(redacted.find(secret) == std::string::npos);
  return 0;
}
