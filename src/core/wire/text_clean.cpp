// Foreign bytes made storable, and secrets taken out of what is quoted. All in linear time.
// Tested in test/unit/wire_test.cpp, fuzzed in test/fuzz/fuzz_text_clean.cpp.
#include "core/wire/text_clean.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace agent_queue {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";     // U+2026
constexpr std::string_view kRedacted = "[redacted]";
constexpr std::size_t kSecretBytesMin = 8;

struct Sequence {
  std::size_t length;
  bool sound;
};

// The UTF-8 sequence at the start of `text` (not empty), or the longest start of one (Unicode 15, table 3-7).
Sequence read_sequence(std::string_view text) {
  const auto byte_at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte_at(0);
  if (lead < 0x80) return {1, lead != 0};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte_at(i) < low || byte_at(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

// True where all 8 bytes are ASCII and none is NUL.
bool is_plain_word(const char *bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  return ((word | (word - kOnes)) & kHighBits) == 0;
}

// The length of the longest clean start of `text`.
std::size_t clean_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= 8 && is_plain_word(text.data() + at)) {
      at += 8;
      continue;
    }
    const Sequence next = read_sequence(text.substr(at));
    if (!next.sound) return at;
    at += next.length;
  }
  return at;
}

// Cuts on a character boundary so that text and ellipsis fit.
void shorten(std::string &text, std::size_t max_bytes) {
  const bool marked = max_bytes >= kEllipsis.size();
  std::size_t end = marked ? max_bytes - kEllipsis.size() : max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  if (marked) text += kEllipsis;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}
bool is_token_char(char c) {
  return is_alnum(c) || (c != '\0' && std::strchr("-._~+/=*%", c) != nullptr);
}

// `word` is in lower case.
bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) { return a == lower(b); });
}

std::size_t token_length(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_token_char) - text.begin());
}

// Prose ("bearer authentication") is short and in lower case; tokens are long or hold other characters.
bool looks_secret(std::string_view token) {
  const auto is_prose = [](char c) { return (c >= 'a' && c <= 'z') || c == '.'; };
  return token.size() >= 20 || (token.size() >= 6 && !std::all_of(token.begin() + 1, token.end(), is_prose));
}

struct Find {
  std::size_t keep = 0;  // bytes before the secret
  std::size_t hide = 0;  // bytes of the secret; 0: there is none
};

// A key or token that starts with this very character.
Find find_secret(std::string_view text, char before) {
  const char first = lower(text[0]);
  if (first == 'b' && starts_with_word(text, "bearer")) {
    std::size_t keep = 6;
    while (keep < text.size() && keep < 10 && (text[keep] == ' ' || text[keep] == ':')) ++keep;
    const std::size_t length = token_length(text.substr(keep));
    if (keep > 6 && looks_secret(text.substr(keep, length))) return {keep, length};
  } else if (first == 's' && text.starts_with("sk-") && !is_alnum(before)) {
    const std::size_t length = token_length(text);
    if (length >= 3 + kSecretBytesMin) return {0, length};
  } else if (first == 'k' && starts_with_word(text, "key=")) {
    const std::size_t length = token_length(text.substr(4));
    if (length >= kSecretBytesMin) return {4, length};
  }
  return {};
}

std::string replace_all(std::string_view text, std::string_view secret) {
  std::string out;
  while (text.size() >= secret.size()) {
    // memmem() is linear in both lengths; string_view::find() is not.
    const void *found = memmem(text.data(), text.size(), secret.data(), secret.size());
    if (found == nullptr) break;
    const std::size_t before = static_cast<std::size_t>(static_cast<const char *>(found) - text.data());
    out += text.substr(0, before);
    out += kRedacted;
    text.remove_prefix(before + secret.size());
  }
  out += text;
  return out;
}

std::string replace_patterns(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  char before = ' ';
  while (!text.empty()) {
    const Find find = find_secret(text, before);
    const std::size_t taken = find.hide == 0 ? 1 : find.keep + find.hide;
    if (find.hide == 0) {
      out += text[0];
    } else {
      out += text.substr(0, find.keep);
      out += kRedacted;
    }
    before = text[taken - 1];
    text.remove_prefix(taken);
  }
  return out;
}

}  // namespace

bool is_clean_text(std::string_view raw) {
  return clean_prefix(raw) == raw.size();
}

std::string clean_text(std::string_view raw, std::size_t max_bytes) {
  if (raw.size() <= max_bytes && is_clean_text(raw)) return std::string(raw);
  std::string out;
  while (!raw.empty() && out.size() <= max_bytes) {
    const std::size_t run = clean_prefix(raw.substr(0, max_bytes - out.size()));
    out += raw.substr(0, run);
    raw.remove_prefix(run);
    if (raw.empty()) break;
    const Sequence next = read_sequence(raw);
    out += next.sound ? raw.substr(0, next.length) : kReplacement;
    raw.remove_prefix(next.length);
  }
  if (out.size() > max_bytes) shorten(out, max_bytes);
  return out;
}

std::string redact(std::string_view text, std::string_view secret) {
  if (secret.size() < kSecretBytesMin) return replace_patterns(text);
  return replace_patterns(replace_all(text, secret));
}

}  // namespace agent_queue
