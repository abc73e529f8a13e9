// JSON from outside: parsed without exceptions, bounded in size and depth, read with checked access.
// Used for providers' answers and users' requests alike. Tested in test/unit/wire_test.cpp, fuzzed in test/fuzz.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace agent_queue {

using Json = nlohmann::json;

inline constexpr int kJsonDepthMax = 128;  // a recursive destructor or parser must not exhaust the stack

// Refuses what is no JSON, deeper than kJsonDepthMax, or not UTF-8 in its strings. Never throws but bad_alloc.
Result<Json> parse_json(std::string_view text);

// As parse_json; where that refuses, once more with broken UTF-8, raw NULs and lone surrogate escapes replaced by
// U+FFFD. For answers that were paid for.
Result<Json> parse_json_leniently(std::string_view text);

// The position after the string whose opening quote lies before `at`; text.size() where it does not end.
std::size_t skip_json_string(std::string_view text, std::size_t at);

// Makes every string and every key in `value` storable (see text_clean.hpp): \u0000 is valid JSON, but no jsonb.
void clean_json(Json &value);

// Compact, always valid UTF-8 (invalid sequences replaced by U+FFFD).
std::string dump_json(const Json &value);

// Checked access: a missing key, a wrong type or a non-object gives the "nothing" of the return type.
const Json *json_member(const Json &value, std::string_view key);               // nullptr
std::string_view json_string(const Json &value, std::string_view key);          // empty; points into value
std::optional<std::int64_t> json_int(const Json &value, std::string_view key);  // whole numbers only, also 12.0

}  // namespace agent_queue
