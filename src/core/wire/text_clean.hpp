// Foreign bytes made storable: Postgres text and jsonb hold no NUL and only valid UTF-8, and an error
// after a paid call loses the answer. Pure. Tested in test/unit/wire_test.cpp, fuzzed in test/fuzz.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace agent_queue {

// Valid UTF-8 without NUL: NUL and each broken sequence become U+FFFD; cut at max_bytes on a character
// boundary (an ellipsis marks the cut and counts).
std::string clean_text(std::string_view raw, std::size_t max_bytes = std::string_view::npos);

// True where clean_text would change nothing.
bool is_clean_text(std::string_view raw);

// Replaces each occurrence of `secret` (of 8 bytes or more), and whatever looks like a bearer token or an API key
// ("Bearer …", "sk-…", "key=…"), by "[redacted]".
std::string redact(std::string_view text, std::string_view secret);

inline constexpr std::size_t kErrorMessageBytesMax = 2000;

}  // namespace agent_queue
