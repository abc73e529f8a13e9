// The back-off schedule. Tested in test/unit/retry_test.cpp.
#include "core/retry/retry_policy.hpp"

#include <algorithm>

#include "core/base/mix.hpp"

namespace agent_queue {

Micros backoff(Micros base, int failures, JobId id) {
  if (base <= Micros::zero()) return Micros::zero();
  Micros wait = std::min(base, kBackoffMax);
  for (int i = 1; i < failures && wait < kBackoffMax; ++i) wait = std::min(wait * 2, kBackoffMax);
  // Jobs that failed together must not come back together.
  const std::uint64_t spread = static_cast<std::uint64_t>(wait.count() / 4) + 1;
  const std::uint64_t jitter =
      mix(static_cast<std::uint64_t>(id.value), static_cast<std::uint64_t>(static_cast<std::int64_t>(failures))) %
      spread;
  return std::min(wait + Micros(static_cast<std::int64_t>(jitter)), kBackoffMax);
}

}  // namespace agent_queue
