// Prices and costs. All arithmetic is exact and saturates at the ends of the range. Tested in test/unit/cost_test.cpp.
#include "core/cost/price.hpp"

#include <algorithm>
#include <limits>

#include "core/base/decimal.hpp"

namespace agent_queue {
namespace {

constexpr int kNanoDigits = 9;
constexpr __int128 kNanoUsdMax = __int128{9'000'000'000} * 1'000'000'000;
constexpr __int128 kFemtoMax = std::numeric_limits<__int128>::max();

// tokens × nano-dollars per million tokens is a whole number of femto-dollars.
// False: there are tokens, and nobody knows what they cost.
bool add_part(__int128 &femto, std::int64_t tokens, const std::optional<PricePerMtok> &price) {
  if (tokens <= 0) return true;
  if (!price) return false;
  const __int128 part = static_cast<__int128>(tokens) * std::max<std::int64_t>(price->nano_usd, 0);
  if (__builtin_add_overflow(femto, part, &femto)) femto = kFemtoMax;
  return true;
}

const std::optional<PricePerMtok> &first_known(const std::optional<PricePerMtok> &price,
                                               const std::optional<PricePerMtok> &otherwise) {
  return price ? price : otherwise;
}

// Unknown where the plain input price is: a request that the cache does not know is billed by it.
std::optional<PricePerMtok> dearest_input(const Price &price) {
  if (!price.input) return std::nullopt;
  PricePerMtok dearest = *price.input;
  for (const std::optional<PricePerMtok> &other : {price.cached_input, price.cache_write, price.cache_write_1h})
    if (other) dearest.nano_usd = std::max(dearest.nano_usd, other->nano_usd);
  return dearest;
}

}  // namespace

Result<PricePerMtok> PricePerMtok::parse(std::string_view text) {
  const std::optional<__int128> nano = parse_decimal(text, kNanoDigits);
  if (!nano || *nano < 0 || text.starts_with('-') || *nano > kNanoUsdMax)
    return Error{ErrorKind::invalid_input, "price is not a plain decimal between 0 and 9000000000",
                 "Prices are US dollars per million tokens with at most 9 decimals."};
  return PricePerMtok{static_cast<std::int64_t>(*nano)};
}

std::optional<Usd> cost_of(const Usage &usage, const Price *price) {
  if (price == nullptr) return std::nullopt;
  __int128 femto = 0;
  const std::optional<PricePerMtok> &cache_write = first_known(price->cache_write, price->input);
  const bool known = add_part(femto, usage.input, price->input) &&
                     add_part(femto, usage.cache_read, first_known(price->cached_input, price->input)) &&
                     add_part(femto, usage.cache_write - usage.cache_write_1h, cache_write) &&
                     add_part(femto, usage.cache_write_1h, first_known(price->cache_write_1h, cache_write)) &&
                     add_part(femto, usage.output, price->output);
  if (!known) return std::nullopt;
  return Usd::from_femto(femto);
}

std::optional<Usd> worst_case_cost(std::int64_t prompt_bytes, std::int64_t max_output_tokens, const Price *price) {
  if (price == nullptr) return std::nullopt;
  __int128 femto = 0;
  if (!add_part(femto, prompt_bytes, dearest_input(*price)) || !add_part(femto, max_output_tokens, price->output))
    return std::nullopt;
  return Usd::from_femto(femto);
}

}  // namespace agent_queue
