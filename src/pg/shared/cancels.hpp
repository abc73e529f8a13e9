// Cancelled calls, from the session whose commit cancelled the job to the worker that has the call. Each worker has a
// short list, which it empties as a whole. A list that is full says so, and the worker asks the table instead.
// Plain functions: no exceptions, no Postgres errors; safe in commit callbacks. Tested in test/tap/220_verbs.pl.
#pragma once

#include <cstdint>

#include "core/base/ids.hpp"

namespace agent_queue::pg::shared {

// Calls that were cancelled and not yet taken by their worker.
inline constexpr int kCancelsMax = 256;

struct CancelledCall {
  std::int64_t job;
  std::int64_t started_at;  // TimestampTz: which attempt at the job
};

// Tells the worker whose claim this is, and wakes it. Nothing happens when it is gone.
void report_cancel(ClaimToken claim, const CancelledCall &call);

bool is_cancel_reported(int slot);

struct CancelReport {
  int count = 0;
  bool is_whole = true;  // false: others found no room in the list
};
// Empties the list; `calls` has room for kCancelsMax.
CancelReport take_cancels(int slot, CancelledCall *calls);

}  // namespace agent_queue::pg::shared
