// The most that one attempt of a job can cost: what a claim holds, and what an attempt of unknown end is booked at.
// Pure. Tested in test/unit/hold_test.cpp.
#pragma once

#include <cstddef>
#include <optional>

#include "core/base/time.hpp"
#include "core/base/usd.hpp"
#include "core/catalog/catalog.hpp"
#include "core/cost/usage.hpp"

namespace agent_queue {

// Bytes of all that is sent as prompt: a bound of the tokens, since no tokenizer makes more tokens than bytes.
std::size_t prompt_bytes_bound(const AgentType &type, std::size_t request_bytes);

// Over all routes of the type, the dearest; 0 without a route. Empty: some route's price is unknown, or nothing bounds
// the output.
std::optional<Usd> worst_case_hold(const Catalog &catalog, const AgentType &type, std::size_t request_bytes,
                                   WallTime at);

// Usage and cost to book for an attempt on `route` whose answer is unknown.
struct Estimate {
  Usage usage;
  std::optional<Usd> cost;
};
Estimate estimate_attempt(const Catalog &catalog, const AgentType &type, const Route &route, std::size_t request_bytes,
                          WallTime at);

}  // namespace agent_queue
