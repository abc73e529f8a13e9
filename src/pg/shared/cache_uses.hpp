// Which cached entries were asked for: a mark for each, by a hash of its key, in shared memory. So a hit writes
// nothing. Keys that share a place share a mark: then an entry is spared that was not asked for. Plain functions, no
// errors.
#pragma once

#include <string_view>

namespace agent_queue::pg::shared {

inline constexpr int kCacheUsesMax = 1 << 20;

// `key`: cache_store.key.
void note_cache_use(std::string_view key);

// True: it was asked for since this was last called for it.
bool take_cache_use(std::string_view key);

}  // namespace agent_queue::pg::shared
