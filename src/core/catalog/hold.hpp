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

// The bound of one answer as it is sent. The routes of a type may go to several formats: the largest bound that one of
// them may see counts. Empty: nothing bounds it.
std::optional<std::int64_t> answer_tokens_bound(const AgentType &type);

// Over all routes of the type, the dearest; a route "auto" counts as the model that it comes to at `at`. 0 where no
// route leads anywhere: nothing is called then. Empty: some route's price is unknown, or nothing bounds the output.
std::optional<Usd> worst_case_hold(const Catalog &catalog, const AgentType &type, std::size_t request_bytes,
                                   WallTime at);

// Usage and cost to book for an attempt at `target` whose answer is unknown.
struct Estimate {
  Usage usage;
  std::optional<Usd> cost;
};
Estimate estimate_attempt(const Catalog &catalog, const AgentType &type, const Target &target,
                          std::size_t request_bytes, WallTime at);

}  // namespace agent_queue
