// A SHA-256 digest as plain data; core/cache makes them.
#pragma once

#include <array>
#include <cstdint>

namespace agent_queue {

using Digest = std::array<std::uint8_t, 32>;

}  // namespace agent_queue
