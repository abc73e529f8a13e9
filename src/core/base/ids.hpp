// Identifiers as types of their own, so that one cannot be passed for another.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

namespace agent_queue {

// agent_queue.id
struct JobId {
  std::int64_t value = 0;
  auto operator<=>(const JobId &) const = default;
};

// One request given to a Transport; unique in the life of that transport.
struct CallId {
  std::uint64_t value = 0;
  auto operator<=>(const CallId &) const = default;
};

// agent_queue.user_id: the 16 bytes of a uuid, in network order.
using UserId = std::array<std::uint8_t, 16>;

// Who holds a job: `epoch` is 64 random bits drawn when shared memory is created, `incarnation` counts
// the workers since then. Stored in agent_queue.claim as a uuid (epoch first, network order).
struct ClaimToken {
  std::uint64_t epoch = 0;
  std::uint64_t incarnation = 0;
  auto operator<=>(const ClaimToken &) const = default;
};

}  // namespace agent_queue
