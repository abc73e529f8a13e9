// What the formats share when they read an answer: the way from bytes to a JSON object that is no error, clean texts,
// and counts that can be trusted. Tested in test/unit/{anthropic,gemini,ollama}_test.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/failure.hpp"
#include "core/base/time.hpp"
#include "core/wire/http.hpp"
#include "core/wire/json_read.hpp"

namespace agent_queue {

inline constexpr std::int64_t kTokensMax = 1'000'000'000;  // more is a provider's mistake; fits an integer column
inline constexpr std::size_t kNameBytesMax = 200;          // of a model or a finish reason

// The object that a 2xx holds; a Failure where the answer is no 2xx, no JSON object, or has an error in it.
std::variant<Json, Failure> read_success(const HttpResponse &response, std::string_view secret, WallTime now);

// Takes a string member out of `object`, clean; empty where there is none.
std::string take_text(Json &object, const char *key);

// The member as an array; nullptr: it is none.
Json *array_member(Json &object, const char *key);

// A count from 0 to `most`; 0 where there is none. `object` may be null.
std::int64_t token_count(const Json *object, std::string_view key, std::int64_t most = kTokensMax);

// True where one of `keys` is a count.
bool has_count(const Json &object, std::initializer_list<std::string_view> keys);

}  // namespace agent_queue
