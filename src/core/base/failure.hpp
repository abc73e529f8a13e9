// Why a call did not give an answer: the classes that decide what happens next.
// Source: the retry classification of the OpenAI and Anthropic SDKs and of the providers' error pages
// (docs/guide/failures.md has the table).
#pragma once

#include <optional>
#include <string>

#include "core/base/time.hpp"

namespace agent_queue {

enum class FailureClass {
  transient,       // 408, 409, 5xx, refused or broken connection before any byte was sent: back off, same target
  rate_limited,    // 429: wait as long as it says; with a stated time it costs no attempt
  credential,      // 401, 403: this key will not work
  quota,           // 402, insufficient_quota and its family: no money or no quota behind this key
  context_length,  // the prompt is longer than the model takes
  content_filter,  // the provider refuses this content
  invalid,         // 400, 404, 413, 422: sending it again changes nothing
  uncertain,       // request bytes were sent, no whole answer came: it may have been billed
  garbled,         // a whole 2xx answer came that cannot be understood: it was billed
};

struct Failure {
  FailureClass kind = FailureClass::transient;
  int http_status = 0;                // 0: no HTTP answer
  std::string message;                // for a person: clean UTF-8, bounded, no secrets
  std::optional<Micros> retry_after;  // as the provider stated it
};

}  // namespace agent_queue
