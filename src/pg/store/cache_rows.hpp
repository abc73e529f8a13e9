// Rows of the cache's tables, found by their keys without a plan: straight through the primary key, under a snapshot
// that the caller names. No rights are asked: who calls has decided whose rows they are. Regime: guarded C++.
// Tested in sql/cache_values.sql and sql/cache_watch.sql.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct SnapshotData;

namespace agent_queue::pg {

// The jsonb Datum of the value stored under `key`, in the current memory context; empty: there is none, it is stale, or
// what it was made from has changed since.
std::optional<std::uintptr_t> find_cached_value(const std::string &key, SnapshotData *snapshot);

// Of each name (UTF-8) in cache_versions; 0: no row.
std::vector<std::int64_t> find_versions(const std::vector<std::string> &names, SnapshotData *snapshot);

}  // namespace agent_queue::pg
