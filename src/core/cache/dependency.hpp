// What a cached value was made from, by name. Pure. Tested in test/unit/cache_dependency_test.cpp.
//
// "documents:42" is one of a group, and "documents:*" the group: its version is compared as well, so that one change of
// it is a change of all (a TRUNCATE, a bulk). But a change of one is none of the group, so that not all writers of a
// table meet in one row: nothing can depend on a group. A name without a colon has no group.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace agent_queue {

// By the first colon: keys may have colons, prefixes have none. Empty: there is none, or it is the group itself.
std::optional<std::string> group_of(std::string_view dependency);

// "documents:*": nothing may depend on it.
bool is_group(std::string_view name);

// Each followed by its group, each name once, at its first place.
std::vector<std::string> with_groups(std::span<const std::string> dependencies);

}  // namespace agent_queue
