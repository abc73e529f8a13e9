// Shared memory of the extension: made once per start of the server, seen by every process.
// What lies in it has a header of its own: databases, workers, lanes, waiters, cancels, limiter.
#pragma once

#include <cstdint>

namespace agent_queue::pg::shared {

// What of it is as large as the settings say.
struct MemorySizes {
  int rate_limit_megabytes = 0;
  int tracked_users = 0;
};

// In _PG_init, while preloading: asks for the memory and registers the startup hook.
void install_hooks(const MemorySizes &sizes);

// 64 random bits, drawn when shared memory was created: claims of another epoch belong to the dead.
std::uint64_t boot_epoch();

}  // namespace agent_queue::pg::shared
