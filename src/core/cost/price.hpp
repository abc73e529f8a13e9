// Effective-dated prices and the cost of an attempt in exact decimals. Pure. Tested in test/unit/cost_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/base/usd.hpp"
#include "core/cost/dated_table.hpp"
#include "core/cost/usage.hpp"

namespace agent_queue {

// USD per million tokens, in nano-dollars: "0.15" is 150'000'000. Range 0 .. 9e9 dollars.
struct PricePerMtok {
  std::int64_t nano_usd = 0;
  // Plain decimal, not negative, at most 9 digits after the point.
  static Result<PricePerMtok> parse(std::string_view text);
};

// One row of agent_models, as far as money is concerned.
struct Price {
  std::optional<PricePerMtok> input;
  std::optional<PricePerMtok> cached_input;    // empty: as input
  std::optional<PricePerMtok> cache_write;     // empty: as input
  std::optional<PricePerMtok> cache_write_1h;  // empty: as cache_write
  std::optional<PricePerMtok> output;
  WallTime valid_from;
  std::optional<WallTime> valid_to;  // exclusive; empty: still valid
};

using PriceTable = DatedTable<Price>;

// Σ tokens × price / 1e6, exact. Empty where a part that has tokens has no price: unknown is not free.
// `price` may be null (then empty).
std::optional<Usd> cost_of(const Usage &usage, const Price *price);

// The most that an attempt can cost: every byte of the prompt a token at the dearest input price, and
// max_output_tokens of output. Empty as cost_of() is. Saturates at the end of the range.
std::optional<Usd> worst_case_cost(std::int64_t prompt_bytes, std::int64_t max_output_tokens, const Price *price);

}  // namespace agent_queue
