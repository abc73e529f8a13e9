// Prompts made shorter without a change of what they ask: filler phrases, long words and repeated lines. Pure; takes
// any bytes. Tested in test/unit/compression_test.cpp, fuzzed in test/fuzz/fuzz_compression.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/name_map.hpp"

namespace agent_queue {

// The phrases of a language, or of several. A phrase is made of words with one blank between them, and so is what
// stands for it.
class Phrasebook {
 public:
  // An empty replacement: the phrase is a filler. Left out is what is no phrase, is not made shorter or has more
  // bytes then, or is here already.
  void add(std::string_view phrase, std::string_view replacement);

  struct Entry {
    std::vector<std::string> words;  // in lower case
    std::string replacement;
  };
  // Those that begin with the word (in lower case), the longest first. nullptr: none.
  const std::vector<Entry> *beginning_with(std::string_view word) const { return find_name(entries_, word); }

 private:
  NameMap<std::vector<Entry>> entries_;  // by the first word
};

// In prose only: what find_protected() finds is left byte for byte, and so is a line of it.
// - Phrases are found as whole words between blanks or the punctuation of a sentence, in either case; so paths,
//   addresses and names with hyphens stay. A replacement is written in the case of what it stands for; the word behind
//   a filler that began a sentence takes over its capital.
// - A line that says what the line before it says goes, and so does one of 20 letters or more that the text has
// already.
//   Lines without any letter are data and stay.
// - Blanks change only where something was taken out.
// The same again changes nothing: compress(compress(text)) is compress(text).
std::string compress_text(std::string_view text, const Phrasebook &phrases);

}  // namespace agent_queue
