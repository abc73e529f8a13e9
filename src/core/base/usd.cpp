// Money: reading and writing the exact decimals. Tested in test/unit/base_test.cpp.
#include "core/base/usd.hpp"

#include <algorithm>

#include "core/base/decimal.hpp"

namespace agent_queue {
namespace {

constexpr int kFemtoDigits = 15;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// value × 10 + digit, downwards, because the negative range is the larger one.
bool push_digit(__int128 &value, int digit) {
  return !__builtin_mul_overflow(value, __int128{10}, &value) &&
         !__builtin_sub_overflow(value, static_cast<__int128>(digit), &value);
}

}  // namespace

std::optional<__int128> parse_decimal(std::string_view text, int scale) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  __int128 value = 0;
  std::size_t i = 0;
  for (; i < text.size() && is_digit(text[i]); ++i)
    if (!push_digit(value, text[i] - '0')) return std::nullopt;
  if (i == 0) return std::nullopt;
  int decimals = 0;
  if (i < text.size()) {
    if (text[i] != '.' || i + 1 == text.size()) return std::nullopt;
    for (++i; i < text.size(); ++i, ++decimals)
      if (!is_digit(text[i]) || decimals == scale || !push_digit(value, text[i] - '0')) return std::nullopt;
  }
  for (; decimals < scale; ++decimals)
    if (!push_digit(value, 0)) return std::nullopt;
  if (negative) return value;
  __int128 positive = 0;
  if (__builtin_sub_overflow(__int128{0}, value, &positive)) return std::nullopt;
  return positive;
}

Result<Usd> Usd::parse(std::string_view text) {
  const std::optional<__int128> femto = parse_decimal(text, kFemtoDigits);
  if (!femto)
    return Error{ErrorKind::invalid_input, "amount of money is not a plain decimal within range",
                 "Write digits with at most 15 decimals, such as 12.50."};
  return Usd(*femto);
}

std::string Usd::to_string() const {
  // Unsigned, because the lowest value has no positive counterpart.
  unsigned __int128 rest = static_cast<unsigned __int128>(femto_);
  if (femto_ < 0) rest = -rest;
  std::string reversed;
  for (int i = 0; rest != 0 || i <= kFemtoDigits; ++i, rest /= 10) {
    const char digit = static_cast<char>('0' + static_cast<int>(rest % 10));
    const bool trailing_zero = i < kFemtoDigits && reversed.empty() && digit == '0';
    if (i == kFemtoDigits && !reversed.empty()) reversed += '.';
    if (!trailing_zero) reversed += digit;
  }
  if (femto_ < 0) reversed += '-';
  std::reverse(reversed.begin(), reversed.end());
  return reversed;
}

}  // namespace agent_queue
