#include "core/credential/key_text.hpp"

#include <cstring>

namespace agent_queue {
namespace {

Error refuse(ErrorKind kind, std::string_view api_key_ref, const char *why, const char *hint = "") {
  return {kind, "the key of " + quoted_key_ref(api_key_ref) + why, hint};
}

std::optional<Error> judge_key(std::string_view key, std::string_view ref) {
  if (is_key_document(key)) {
    if (key.size() > kKeyFileBytesMax) return refuse(ErrorKind::too_large, ref, " is longer than 64 kB");
    return std::nullopt;
  }
  if (key.size() > kKeyBytesMax) return refuse(ErrorKind::too_large, ref, " is longer than 8 kB");
  if (key.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
    return refuse(ErrorKind::invalid_input, ref, " holds a line break or a NUL byte",
                  "It must be the key alone, on one line, or a JSON document.");
  if (key.empty()) return refuse(ErrorKind::not_found, ref, " is empty");
  return std::nullopt;
}

}  // namespace

void wipe(std::string &secret) noexcept {
  explicit_bzero(secret.data(), secret.size());
  secret.clear();
}

std::string quoted_key_ref(std::string_view api_key_ref) {
  return "API key reference \"" + std::string(api_key_ref) + "\"";
}

bool is_key_document(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

Result<std::string> checked_key(std::string key, std::string_view api_key_ref) {
  if (!key.empty() && key.back() == '\n') key.pop_back();
  if (!key.empty() && key.back() == '\r') key.pop_back();
  if (std::optional<Error> error = judge_key(key, api_key_ref)) {
    wipe(key);
    return *error;
  }
  return key;
}

}  // namespace agent_queue
