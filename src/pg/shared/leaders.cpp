// POD only.
#include "pg/shared/leaders.hpp"

#include <cstring>

#include "pg/pg.hpp"

#include "pg/shared/layout.hpp"
#include "pg/shared/workers.hpp"

namespace agent_queue::pg::shared {

static_assert(kLeadersMax % Leaders::kWays == 0);

static LeadKey lead_key(DatabaseOid database, const Digest &digest) {
  LeadKey key;
  memcpy(&key.high, digest.data(), sizeof(key.high));
  memcpy(&key.low, digest.data() + sizeof(key.high), sizeof(key.low));
  key.database = database;
  return key;
}

static Leaders table() {
  return Leaders(state->leaders, kLeadersMax);
}

// Lock order: leaders before workers.
Leaders::Lead claim_lead(DatabaseOid database, const Digest &key, JobId job, ClaimToken worker, WallTime now,
                         WallTime until) {
  LWLockAcquire(state->leaders_lock, LW_EXCLUSIVE);
  const Leaders::Lead lead =
      table().claim(lead_key(database, key), job.value, worker.incarnation, now, until, [](uint64 incarnation) {
        return is_alive(ClaimToken{state->boot_epoch, incarnation});
      });
  LWLockRelease(state->leaders_lock);
  return lead;
}

void suspend_lead(DatabaseOid database, const Digest &key, JobId job) {
  LWLockAcquire(state->leaders_lock, LW_EXCLUSIVE);
  table().suspend(lead_key(database, key), job.value);
  LWLockRelease(state->leaders_lock);
}

bool vacate_lead(DatabaseOid database, const Digest &key, JobId job) {
  LWLockAcquire(state->leaders_lock, LW_EXCLUSIVE);
  const bool is_followed = table().vacate(lead_key(database, key), job.value);
  LWLockRelease(state->leaders_lock);
  return is_followed;
}

bool remove_lead(DatabaseOid database, const Digest &key, JobId job) {
  LWLockAcquire(state->leaders_lock, LW_EXCLUSIVE);
  const bool is_followed = table().remove(lead_key(database, key), job.value);
  LWLockRelease(state->leaders_lock);
  return is_followed;
}

bool spoil_lead(DatabaseOid database, const Digest &key, JobId job) {
  LWLockAcquire(state->leaders_lock, LW_EXCLUSIVE);
  const bool is_followed = table().spoil(lead_key(database, key), job.value);
  LWLockRelease(state->leaders_lock);
  return is_followed;
}

bool is_led(DatabaseOid database, const Digest &key, WallTime until) {
  LWLockAcquire(state->leaders_lock, LW_SHARED);
  const bool result = table().is_led(lead_key(database, key), until);
  LWLockRelease(state->leaders_lock);
  return result;
}

}  // namespace agent_queue::pg::shared
