#include "core/prompt/letters.hpp"

#include <algorithm>

namespace agent_queue {

namespace {

constexpr char32_t kLatin1CaseDistance = 0x20;

unsigned char byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

bool is_continuation(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

std::size_t length_by_lead(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

bool is_between(char32_t code, char32_t first, char32_t last) {
  return code >= first && code <= last;
}

void append(std::string &text, char32_t code) {
  if (code < 0x80) {
    text.push_back(static_cast<char>(code));
    return;
  }
  text.push_back(static_cast<char>(0xC0 | (code >> 6)));
  text.push_back(static_cast<char>(0x80 | (code & 0x3F)));
}

template <typename Change>
std::string with_letters(std::string_view text, Change change) {
  std::string changed;
  changed.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Letter letter = letter_at(text, at);
    const char32_t code = change(letter.code);
    if (code == letter.code)
      changed.append(text.substr(at, letter.bytes));
    else
      append(changed, code);
    at += letter.bytes;
  }
  return changed;
}

}  // namespace

Letter letter_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {kNoLetter, 0};
  const unsigned char lead = byte_at(text, at);
  const std::size_t length = length_by_lead(lead);
  if (length == 1) return {lead, 1};
  if (length == 0 || at + length > text.size()) return {kNoLetter, 1};
  char32_t code = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned char byte = byte_at(text, at + i);
    if (!is_continuation(byte)) return {kNoLetter, 1};
    code = (code << 6) | (byte & 0x3Fu);
  }
  return {code, length};
}

Letter letter_before(std::string_view text, std::size_t at) {
  if (at == 0 || at > text.size()) return {kNoLetter, 0};
  std::size_t begin = at - 1;
  while (begin > 0 && at - begin < 4 && is_continuation(byte_at(text, begin))) --begin;
  const Letter letter = letter_at(text, begin);
  return begin + letter.bytes == at ? letter : Letter{kNoLetter, 1};
}

bool is_word_letter(char32_t code) {
  if (code < 0x80)
    return is_between(code, U'a', U'z') || is_between(code, U'A', U'Z') || is_between(code, U'0', U'9') || code == U'_';
  if (code == kNoLetter) return false;
  if (code < 0xC0) return code == 0xAA || code == 0xB5 || code == 0xBA;  // ª µ º
  if (code == 0xD7 || code == 0xF7) return false;                        // × ÷
  return !is_between(code, 0x2000, 0x206F) && !is_between(code, 0x3000, 0x303F);
}

char32_t lower_of(char32_t code) {
  if (is_between(code, U'A', U'Z')) return code + (U'a' - U'A');
  if (is_between(code, 0xC0, 0xDE) && code != 0xD7) return code + kLatin1CaseDistance;
  return code;
}

char32_t upper_of(char32_t code) {
  if (is_between(code, U'a', U'z')) return code - (U'a' - U'A');
  if (is_between(code, 0xE0, 0xFE) && code != 0xF7) return code - kLatin1CaseDistance;
  return code;
}

std::string in_lower_case(std::string_view text) {
  return with_letters(text, lower_of);
}

std::string in_upper_case(std::string_view text) {
  return with_letters(text, upper_of);
}

std::size_t count_letters(std::string_view text) {
  const auto begins_letter = [](char c) { return !is_continuation(static_cast<unsigned char>(c)); };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_letter));
}

}  // namespace agent_queue
