// "Did you mean": names near to one that does not exist, for the DETAIL of an error. Pure.
#pragma once

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/name_map.hpp"

namespace agent_queue::pg {

// Levenshtein's distance.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

// Up to five of the names, the nearest first, as "a", "b" … ; a mark behind them where there are more.
template <typename T>
std::string similar_names(const NameMap<T> &map, std::string_view wanted) {
  constexpr std::size_t kShown = 5;
  constexpr std::size_t kBytesCompared = 200;
  std::vector<std::pair<std::size_t, std::string_view>> names;
  for (const auto &[name, value] : map) names.emplace_back(edit_distance(name, wanted.substr(0, kBytesCompared)), name);
  std::sort(names.begin(), names.end());
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) {
    text += i == 0 ? "\"" : ", \"";
    text.append(names[i].second).push_back('"');
  }
  return names.size() > kShown ? text + ", ..." : text;
}

}  // namespace agent_queue::pg
