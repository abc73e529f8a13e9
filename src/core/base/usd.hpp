// Money as an exact decimal: a whole number of femto-dollars (1e-15 USD) in 128 bits.
//
// Why 1e-15: prices are USD per million tokens with at most 9 decimals (nano-dollars, a CHECK of
// agent_models), so tokens × price / 1e6 is always a whole number of femto-dollars: no rounding
// anywhere. Range: ± 1.7e23 dollars. Tested in test/unit/base_test.cpp.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace agent_queue {

class Usd {
 public:
  constexpr Usd() = default;
  static constexpr Usd from_femto(__int128 femto) { return Usd(femto); }

  // "12.5", "0.000001", "-3": plain decimals, at most 15 after the point. No exponent, no spaces.
  static Result<Usd> parse(std::string_view text);

  // The shortest exact decimal, as numeric's input takes it: "0.0001285", "0", "-2".
  std::string to_string() const;

  constexpr __int128 femto() const { return femto_; }

  constexpr Usd operator+(Usd other) const { return Usd(femto_ + other.femto_); }
  constexpr Usd operator-(Usd other) const { return Usd(femto_ - other.femto_); }
  constexpr Usd &operator+=(Usd other) {
    femto_ += other.femto_;
    return *this;
  }
  constexpr auto operator<=>(const Usd &) const = default;

 private:
  constexpr explicit Usd(__int128 femto) : femto_(femto) {}
  __int128 femto_ = 0;
};

}  // namespace agent_queue
