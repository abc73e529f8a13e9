// A hash map by name that is asked with a string_view without making a string first.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace agent_queue {

struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const noexcept { return std::hash<std::string_view>{}(name); }
};

template <typename T>
using NameMap = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

// nullptr: there is none of that name.
template <typename T>
const T *find_name(const NameMap<T> &map, std::string_view name) {
  const auto it = map.find(name);
  return it == map.end() ? nullptr : &it->second;
}

}  // namespace agent_queue
