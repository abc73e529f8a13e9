// Tokens of one attempt, in the one form that all wire formats are normalised to.
// Each token is in exactly one of the four billed parts; `reasoning` is a part of `output`, `cache_write_1h` one of
// `cache_write`.
#pragma once

#include <cstdint>

namespace agent_queue {

struct Usage {
  std::int64_t input = 0;           // uncached input
  std::int64_t cache_read = 0;      // input read from the provider's prompt cache
  std::int64_t cache_write = 0;     // input written to the provider's prompt cache
  std::int64_t cache_write_1h = 0;  // of `cache_write`: to be kept for an hour
  std::int64_t output = 0;          // billed output, reasoning included
  std::int64_t reasoning = 0;       // of `output`: not visible in the answer

  std::int64_t input_total() const { return input + cache_read + cache_write; }
  std::int64_t total() const { return input_total() + output; }
  bool operator==(const Usage &) const = default;
};

}  // namespace agent_queue
