#include "core/cache/number_text.hpp"

#include <algorithm>

#include "core/wire/json_read.hpp"

namespace agent_queue {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the digits at the start off. False: there are none.
bool skip_digits(std::string_view &text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const bool any = end != text.begin();
  text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  return any;
}

// RFC 8259, section 6.
bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.starts_with('0'))
    text.remove_prefix(1);
  else if (!skip_digits(text))
    return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!skip_digits(text)) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!skip_digits(text)) return false;
  }
  return text.empty();
}

}  // namespace

NumberText take_numbers(std::string_view json) {
  NumberText taken;
  taken.rest.reserve(json.size());
  std::size_t copied = 0;
  for (std::size_t i = 0; i < json.size();) {
    const char c = json[i];
    if (c == '"') {
      i = skip_json_string(json, i + 1);
    } else if (c == '-' || is_digit(c)) {
      // All that a number could be made of: what is left over behind one would change its meaning.
      const std::size_t end = std::min(json.find_first_not_of("0123456789+-.eE", i), json.size());
      const std::string_view number = json.substr(i, end - i);
      if (is_number(number)) {
        taken.rest.append(json, copied, i - copied).append("0");
        taken.numbers.push_back(number);
        copied = end;
      }
      i = end;
    } else {
      ++i;
    }
  }
  taken.rest.append(json.substr(copied));
  return taken;
}

}  // namespace agent_queue
