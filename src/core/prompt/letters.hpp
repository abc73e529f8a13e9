// Letters of UTF-8 text: what belongs to a word, and the two cases of Latin-1. Pure; any bytes are taken.
// Tested in test/unit/compression_test.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace agent_queue {

struct Letter {
  char32_t code = 0;      // kNoLetter: none, or a broken sequence
  std::size_t bytes = 0;  // 0: outside of the text; 1 of a broken sequence
};
inline constexpr char32_t kNoLetter = 0xFFFF'FFFF;

// The one that begins at `at`; the one that ends before `at`.
Letter letter_at(std::string_view text, std::size_t at);
Letter letter_before(std::string_view text, std::size_t at);

// Letters, digits and underscore. Beyond Latin-1 everything but punctuation and blanks counts as a letter.
bool is_word_letter(char32_t code);
inline bool is_word_letter(Letter letter) {
  return letter.bytes > 0 && is_word_letter(letter.code);
}

// The other case within ASCII and Latin-1; all others as they are. Both take as many bytes.
char32_t lower_of(char32_t code);
char32_t upper_of(char32_t code);

std::string in_lower_case(std::string_view text);
std::string in_upper_case(std::string_view text);

// Code points of valid text; of every prompt that is sent, so it is quick.
std::size_t count_letters(std::string_view text);

}  // namespace agent_queue
