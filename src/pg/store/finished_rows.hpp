// Finished jobs on their way from SPI into C++, for retention. Regime: guarded C++ around a POD leaf.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/upkeep/retention.hpp"
#include "pg/wrap/arrays.hpp"

namespace agent_queue::pg {

struct FinishedRow {
  std::int64_t id = 0;
  RowPlace place;
  FinishedJob job;  // its queue points into SPI's memory: until the next statement's result is freed, or SPI is left
};

// From the last statement's SPI_tuptable, with the columns of kFinished.
std::vector<FinishedRow> read_finished_rows();

// The first row's columns as numbers (bigint or timestamptz), NULL as 0. Empty: there is no row.
std::vector<std::int64_t> read_numbers();

}  // namespace agent_queue::pg
