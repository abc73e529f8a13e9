// Attempts whose worker is dead: of jobs that still run, and of such as were cancelled or deleted meanwhile (orphans;
// see extension/schema/12_agent_orphans.sql). All of it in the caller's transaction. Regime: guarded C++. Tested in
// test/tap/040_crash_worker.pl and 315_orphans.pl.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/cache/cache_key.hpp"
#include "core/job/job.hpp"
#include "pg/store/statements.hpp"
#include "ports/job_store.hpp"

namespace agent_queue::pg {

// Claims of workers that are dead, of attempts that nobody has settled.
std::vector<ClaimToken> find_dead(Statements &statements);

struct LostAttempt {
  ClaimedJob job;
  std::optional<Usd> hold;
  std::optional<JobCacheKey> cache_key = {};
};

// Makes up to `limit` attempts of the dead `claim`'s; those that somebody else has locked are passed over. Of an
// orphan's request only the length is known: blanks stand for it.
std::vector<LostAttempt> take_over(Statements &statements, const std::vector<ClaimToken> &dead, ClaimToken claim,
                                   int limit);

// What was settled as an orphan holds nothing any more. Costs nothing where there is none.
void forget_orphans(Statements &statements, std::span<const Settlement> settlements, std::span<const SettleFate> fates,
                    ClaimToken claim);

}  // namespace agent_queue::pg
