// What an HTTP answer that is no success means: shared by all wire formats. Bodies are judged first, because statuses
// lie (429 is also "no money left"), then the status, then x-should-retry.
// Tested in test/unit/provider_test.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/failure.hpp"
#include "core/base/time.hpp"
#include "core/wire/http.hpp"
#include "core/wire/json_read.hpp"

namespace agent_queue {

inline constexpr std::size_t kExcerptBytesMax = 500;  // of a body that says nothing we understand

// By the status alone.
FailureClass classify_status(int status);

// An answer that is an error: not 2xx, or 2xx with an error in its body. `body` may be null or discarded.
Failure http_failure(const HttpResponse &response, const Json &body, std::string_view secret, WallTime now);

// A 2xx that cannot be understood; `why` completes "HTTP 200: ".
Failure garbled_answer(const HttpResponse &response, std::string_view why, std::string_view secret);

// True where `body` has an error in it, whatever the status says.
bool has_error(const Json &body);

}  // namespace agent_queue
