// Plain decimals read exactly, for money and prices. Tested in test/unit/base_test.cpp through Usd, and in
// cost_test.cpp.
#pragma once

#include <optional>
#include <string_view>

namespace agent_queue {

// "-12.5" with scale 3 is -12500. Nothing where the text is no plain decimal (digits, one point between digits, a minus
// in front), has more than `scale` digits after the point, or leaves the range.
std::optional<__int128> parse_decimal(std::string_view text, int scale);

}  // namespace agent_queue
