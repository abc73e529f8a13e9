// Who is calling for which cache key, in all workers (core/cache/leaders says the rules). Plain functions, no errors.
#pragma once

#include "core/base/digest.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/cache/leaders.hpp"
#include "pg/shared/databases.hpp"

namespace agent_queue::pg::shared {

inline constexpr int kLeadersMax = 65536;

// The job is claimed by this worker. `until`: until when followers of a new leader wait.
Leaders::Lead claim_lead(DatabaseOid database, const Digest &key, JobId job, ClaimToken worker, WallTime now,
                         WallTime until);
void suspend_lead(DatabaseOid database, const Digest &key, JobId job);
// These return whether somebody may be following.
bool vacate_lead(DatabaseOid database, const Digest &key, JobId job);
bool remove_lead(DatabaseOid database, const Digest &key, JobId job);
bool spoil_lead(DatabaseOid database, const Digest &key, JobId job);
bool is_led(DatabaseOid database, const Digest &key, WallTime until);

}  // namespace agent_queue::pg::shared
