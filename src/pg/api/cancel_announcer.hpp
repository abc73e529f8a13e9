// Which jobs a transaction has cancelled, kept until it commits: then who waits for them is woken, and the workers that
// have their calls are told. Forgotten at abort and at PREPARE (the calls of a two-phase transaction go on, and their
// settle finds the jobs ended), and with a rolled back savepoint for what was noted within it.
// Regime: guarded C++; the callbacks are plain. Tested in sql/verbs.sql and test/tap/220_verbs.pl.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/ids.hpp"

namespace agent_queue::pg {

// `claim`: of the worker that has called it; `started_at` (TimestampTz): that attempt's.
void note_cancelled(JobId id, const std::optional<ClaimToken> &claim, std::int64_t started_at);

}  // namespace agent_queue::pg
