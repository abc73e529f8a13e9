// What may stand where a key is kept: a key alone on one line, or a JSON document such as a service account's. Shared
// by everything that reads keys. Pure. Tested in test/unit/key_reader_test.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace agent_queue {

inline constexpr std::size_t kKeyBytesMax = 8 << 10;
inline constexpr std::size_t kKeyFileBytesMax = 64 << 10;

// Overwrites the bytes before they are given back.
void wipe(std::string &secret) noexcept;

// How errors name a reference.
std::string quoted_key_ref(std::string_view api_key_ref);

// True of what can only be a JSON document.
bool is_key_document(std::string_view text);

// The key without the line end behind it. Errors name the reference, never the key.
Result<std::string> checked_key(std::string key, std::string_view api_key_ref);

}  // namespace agent_queue
