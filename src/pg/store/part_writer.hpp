// The text so far of streamed calls: written while a call is under way, removed with its job's settlement. All of it in
// the caller's transaction. Regime: guarded C++.
#pragma once

#include <span>
#include <vector>

#include "core/job/job.hpp"
#include "pg/store/statements.hpp"
#include "ports/job_store.hpp"

namespace agent_queue::pg {

// Returns those that were written: parts of jobs that are not `claim`'s any more are not.
std::vector<const StreamPart *> write_parts(Statements &statements, std::span<const StreamPart> parts,
                                            ClaimToken claim);

// Of the settlements that the store has not kept for later. Costs nothing where none of them had any.
void remove_parts(Statements &statements, std::span<const Settlement> settlements, std::span<const SettleFate> fates);

void remove_parts(Statements &statements, std::span<const ClaimedJob> jobs);

}  // namespace agent_queue::pg
