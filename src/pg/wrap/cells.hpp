// Cells of text rows (pg/wrap/spi) as values. The tables' own types and CHECKs have validated them.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/usd.hpp"

namespace agent_queue::pg {

using Cell = std::optional<std::string>;

inline std::int64_t whole(const Cell &cell, std::int64_t otherwise = 0) {
  std::int64_t value = otherwise;
  if (cell) std::from_chars(cell->data(), cell->data() + cell->size(), value);
  return value;
}

inline std::optional<int> whole_or_null(const Cell &cell) {
  return cell ? std::optional(static_cast<int>(whole(cell))) : std::nullopt;
}

inline std::optional<Usd> usd_or_null(const Cell &cell) {
  if (!cell) return std::nullopt;
  const Result<Usd> parsed = Usd::parse(*cell);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

}  // namespace agent_queue::pg
