// Cuts a template text into literals and {{places}}: the one syntax of prompt and result templates.
// Tested in test/unit/prompt_test.cpp through both of them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace agent_queue {

class PlaceScanner {
 public:
  // Both are views of the source.
  struct Piece {
    std::string_view literal;  // before the place
    std::string_view place;    // without braces and outer blanks
    bool has_place = false;    // false: literal only
    bool broken = false;       // the literal runs to the end, because the place in it is not closed or has no name
  };

  explicit PlaceScanner(std::string_view source) : rest_(source) {}

  // Nothing: the source is used up.
  std::optional<Piece> next();

 private:
  std::string_view rest_;
};

// "a.b" is a, b. Empty: some part has no name.
std::vector<std::string_view> split_path(std::string_view place);

}  // namespace agent_queue
