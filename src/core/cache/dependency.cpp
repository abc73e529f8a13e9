#include "core/cache/dependency.hpp"

#include <unordered_set>

namespace agent_queue {

std::optional<std::string> group_of(std::string_view dependency) {
  const std::size_t colon = dependency.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string group(dependency.substr(0, colon + 1));
  group.push_back('*');
  return group == dependency ? std::nullopt : std::optional(std::move(group));
}

bool is_group(std::string_view name) {
  return name.size() > 1 && name.ends_with(":*") && name.find(':') == name.size() - 2;
}

std::vector<std::string> with_groups(std::span<const std::string> dependencies) {
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  for (const std::string &dependency : dependencies) {
    if (seen.insert(dependency).second) names.push_back(dependency);
    if (const std::optional<std::string> group = group_of(dependency))
      if (seen.insert(*group).second) names.push_back(*group);
  }
  return names;
}

}  // namespace agent_queue
