// The numbers of a JSON text as they are spelled there: a parser gives them as doubles, and refuses what is too large
// for one. Pure. Tested in test/unit/canonical_json_test.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agent_queue {

struct NumberText {
  std::string rest;                       // the text with a 0 for each number; JSON where the text was, and only there
  std::vector<std::string_view> numbers;  // in order; views of the text
};
NumberText take_numbers(std::string_view json);

}  // namespace agent_queue
