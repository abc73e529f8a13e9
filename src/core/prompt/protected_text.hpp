// Which parts of a prompt are not prose: code, quotes, JSON, {{places}}. Nobody may change a byte of them. Pure, linear
// in the text. Tested in test/unit/compression_test.cpp, fuzzed in test/fuzz/fuzz_compression.cpp.
#pragma once

#include <string_view>
#include <vector>

namespace agent_queue {

// A flag for each byte: it is protected. In doubt it is.
//   code    fenced by ``` or ~~~ (to the end of the text where the fence is not closed), lines indented by four blanks
//           or a tab, `inline` within a paragraph
//   quotes  "…" '…' «…» “…” ‘…’ within a paragraph, lines that begin with >
//   JSON    an object or array that parses, over as many lines as it takes
//   places  {{…}} within a line
std::vector<bool> find_protected(std::string_view text);

}  // namespace agent_queue
