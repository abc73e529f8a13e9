// One job into the queue: what enqueue_agent() and run_agent() share. Regime: guarded C++.
#pragma once

#include <cstdint>

#include "pg/api/enqueue_terms.hpp"

namespace agent_queue::pg {

// The id of the new job, or of the one that has its idempotency key already: a bigint Datum. SPI need not be connected.
std::uintptr_t enqueue_one(EnqueueTerms &terms);

}  // namespace agent_queue::pg
