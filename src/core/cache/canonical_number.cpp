// One spelling for each number. Tested in test/unit/canonical_json_test.cpp.
#include <algorithm>
#include <charconv>

#include "core/cache/canonical_json.hpp"

namespace agent_queue {
namespace {

// Exponents of fewer digits are counted with; longer ones are added up digit by digit.
constexpr std::size_t kCountedDigits = 18;

std::string_view without_leading_zeros(std::string_view digits) {
  return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
}

// digits + change, where `digits` is so large that the result is above 0.
std::string add_up(std::string digits, std::int64_t change) {
  for (std::size_t i = digits.size(); i-- > 0 && change != 0;) {
    const std::int64_t sum = digits[i] - '0' + change;
    const std::int64_t digit = ((sum % 10) + 10) % 10;
    digits[i] = static_cast<char>('0' + digit);
    change = (sum - digit) / 10;
  }
  if (change > 0) digits.insert(0, std::to_string(change));
  return std::string(without_leading_zeros(digits));
}

// exponent + shift, as text. `exponent`: what stands behind the "e".
std::string moved_exponent(std::string_view exponent, std::int64_t shift) {
  const bool is_negative = exponent.starts_with('-');
  if (is_negative || exponent.starts_with('+')) exponent.remove_prefix(1);
  exponent = without_leading_zeros(exponent);
  if (exponent.size() > kCountedDigits)
    return (is_negative ? "-" : "") + add_up(std::string(exponent), is_negative ? -shift : shift);
  std::int64_t value = 0;
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), value);
  return std::to_string((is_negative ? -value : value) + shift);
}

}  // namespace

std::string canonical_number(std::string_view number) {
  const bool is_negative = number.starts_with('-');
  if (is_negative) number.remove_prefix(1);
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  const std::string_view exponent = number.substr(std::min(e + 1, number.size()));
  const std::string_view mantissa = number.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::string_view fraction = mantissa.substr(std::min(point + 1, mantissa.size()));

  std::string digits = std::string(mantissa.substr(0, point)).append(fraction);
  const std::size_t last = digits.find_last_not_of('0');
  if (last == std::string::npos) return "0";
  const auto shift = static_cast<std::int64_t>(digits.size() - last - 1) - static_cast<std::int64_t>(fraction.size());
  digits.resize(last + 1);
  digits.erase(0, digits.find_first_not_of('0'));

  const std::string moved = moved_exponent(exponent, shift);
  if (is_negative) digits.insert(0, 1, '-');
  if (moved != "0") digits.append("e").append(moved);
  return digits;
}

}  // namespace agent_queue
