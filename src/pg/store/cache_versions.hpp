// The versions of what cached values are made from (cache_versions). Regime: guarded C++.
// Tested in sql/cache_watch.sql and test/isolation/specs/cache_*.spec.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/cache/cache_key.hpp"

struct SnapshotData;

namespace agent_queue::pg {

// Of each dependency and, behind it, of its group (core/cache/dependency.hpp), each once; UTF-8. As the caller's
// statement sees them, so that they are never younger than the data that the statement has read.
std::vector<DependencyVersion> read_versions(const std::vector<std::string> &dependencies);

// The same under a snapshot that was taken before.
std::vector<DependencyVersion> read_versions(const std::vector<std::string> &dependencies, SnapshotData *snapshot);

// A new version of each (UTF-8), in the caller's transaction, with the owner's rights. In the order of the names, so
// that two statements cannot lock each other out by them.
void bump_versions(const std::set<std::string> &names);

}  // namespace agent_queue::pg
