// What agent_types and cache_types say of the cache, for one agent type. Plain data.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/base/digest.hpp"
#include "core/base/time.hpp"
#include "core/prompt/prompt.hpp"

namespace agent_queue {

// Of a cache type without a row.
inline constexpr Micros kDefaultTtl = std::chrono::hours(1);

enum class CacheScope { user, shared };

struct CacheRule {
  std::string type;  // agent_types.cache_type
  CacheScope scope = CacheScope::user;
  Micros ttl = kDefaultTtl;
  std::optional<Micros> stale_if_error;          // after the ttl
  std::optional<Micros> stale_while_revalidate;  // after the ttl
  std::vector<TextTemplate> depends_on;
  std::string depends_on_error;  // why one of them could not be parsed; empty: fine
  bool refresh = false;          // what is asked for often is asked anew before its time to live ends
  std::string predictor;         // a function's name; empty: none
  Digest definition{};           // definition_digest() of the agent type
};

}  // namespace agent_queue
