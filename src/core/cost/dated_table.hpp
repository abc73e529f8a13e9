// Rows of models that hold from a date on: prices, abilities. Pure. Tested in test/unit/cost_test.cpp.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/name_map.hpp"
#include "core/base/time.hpp"

namespace agent_queue {

// `Row` has a WallTime valid_from and an optional, exclusive WallTime valid_to.
template <typename Row>
class DatedTable {
 public:
  void add(std::string_view provider, std::string_view model, Row row) {
    std::vector<Row> &rows = by_provider_[std::string(provider)][std::string(model)];
    const auto later = [](const Row &a, const Row &b) { return a.valid_from < b.valid_from; };
    rows.insert(std::upper_bound(rows.begin(), rows.end(), row, later), row);
  }

  // The row valid at `at`: the latest valid_from that is not after it and not ended. nullptr: none.
  // The pointer lives as long as the table is not added to.
  const Row *find(std::string_view provider, std::string_view model, WallTime at) const {
    const NameMap<std::vector<Row>> *models = find_name(by_provider_, provider);
    const std::vector<Row> *rows = models == nullptr ? nullptr : find_name(*models, model);
    return rows == nullptr ? nullptr : valid_of(*rows, at);
  }

  // Calls visit(provider, model, row) for each model, with its row valid at `at` or nullptr, in no order. The names
  // live as long as the table is not added to.
  template <typename Visit>
  void each(WallTime at, Visit visit) const {
    for (const auto &[provider, models] : by_provider_)
      for (const auto &[model, rows] : models)
        visit(std::string_view(provider), std::string_view(model), valid_of(rows, at));
  }

 private:
  static const Row *valid_of(const std::vector<Row> &rows, WallTime at) {
    for (auto row = rows.rbegin(); row != rows.rend(); ++row)
      if (row->valid_from <= at && (!row->valid_to || at < *row->valid_to)) return &*row;
    return nullptr;
  }

  NameMap<NameMap<std::vector<Row>>> by_provider_;  // then by model; sorted by valid_from
};

}  // namespace agent_queue
