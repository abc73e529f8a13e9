// POD only.
#include "pg/shared/cache_uses.hpp"

#include "pg/pg.hpp"

#include "pg/shared/layout.hpp"
#include "pg/shared/name_hash.hpp"

namespace agent_queue::pg::shared {

// A byte is written whole: no lock is needed, and a mark that two processes touch at once may go either way.
static volatile uint8 *mark_of(std::string_view key) {
  return &state->cache_uses[hash_name(key) % kCacheUsesMax];
}

void note_cache_use(std::string_view key) {
  volatile uint8 *mark = mark_of(key);
  if (*mark == 0) *mark = 1;
}

bool take_cache_use(std::string_view key) {
  volatile uint8 *mark = mark_of(key);
  const bool was_used = *mark != 0;
  *mark = 0;
  return was_used;
}

}  // namespace agent_queue::pg::shared
