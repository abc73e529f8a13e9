#include "pg/wrap/uuid_text.hpp"

namespace agent_queue::pg {

UserId uuid_of(std::string_view text) {
  UserId uuid{};
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == '-' || digits == 2 * uuid.size()) continue;
    const int value = c <= '9' ? c - '0' : c - 'a' + 10;
    uuid[digits / 2] = static_cast<std::uint8_t>(uuid[digits / 2] << 4 | value);
    ++digits;
  }
  return uuid;
}

std::string uuid_text(const UserId &uuid) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[uuid[i] >> 4];
    text += kDigits[uuid[i] & 15];
  }
  return text;
}

}  // namespace agent_queue::pg
