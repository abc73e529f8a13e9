// Waiting for a job without polling: what wait_agent() and run_agent() share. Regime: guarded C++.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/base/ids.hpp"

namespace agent_queue::pg {

// From an interval Datum, a year at most. 22023: it is negative.
std::chrono::milliseconds read_timeout(std::uintptr_t interval);

// The result of the job, as a jsonb Datum in the current memory context, once it is completed; else raises what became
// of it (job_sqlstate.hpp). Nothing is held while it sleeps but what the caller's own statement holds.
// `before_sleep` may be null.
std::uintptr_t wait_for_job(JobId id, std::chrono::milliseconds timeout, void (*before_sleep)());

}  // namespace agent_queue::pg
