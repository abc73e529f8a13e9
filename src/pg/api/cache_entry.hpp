// Which value a call of cache_get() and its kin means. Regime: guarded C++. Tested in sql/cache_values.sql.
#pragma once

#include <optional>
#include <string>

#include "core/base/digest.hpp"
#include "core/base/ids.hpp"

struct FunctionCallInfoBaseData;

namespace agent_queue::pg {

struct CacheEntry {
  std::string type;
  std::optional<UserId> owner;  // empty: everybody's who may act for others; the system's
  Digest digest{};
  std::string key;  // cache_store.key
};

// From the first two arguments, type and data, and the one that says whose it is. 22004, 22023: they are no good;
// 42501: it is somebody else's.
CacheEntry entry_argument(FunctionCallInfoBaseData *fcinfo, int user_number);

}  // namespace agent_queue::pg
