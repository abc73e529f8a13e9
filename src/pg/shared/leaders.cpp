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

// Lock order: leaders before workers.
template <typename Fn>
static auto locked(LWLockMode mode, Fn fn) {
  LWLockAcquire(state->leaders_lock, mode);
  const auto result = fn(Leaders(state->leaders, kLeadersMax));
  LWLockRelease(state->leaders_lock);
  return result;
}

Leaders::Lead claim_lead(DatabaseOid database, const Digest &key, JobId job, ClaimToken worker, WallTime now,
                         WallTime until) {
  const auto is_worker_alive = [](uint64 incarnation) { return is_alive(ClaimToken{state->boot_epoch, incarnation}); };
  return locked(LW_EXCLUSIVE, [&](Leaders leaders) {
    return leaders.claim(lead_key(database, key), job.value, worker.incarnation, now, until, is_worker_alive);
  });
}

void suspend_lead(DatabaseOid database, const Digest &key, JobId job) {
  locked(LW_EXCLUSIVE, [&](Leaders leaders) {
    leaders.suspend(lead_key(database, key), job.value);
    return true;
  });
}

bool vacate_lead(DatabaseOid database, const Digest &key, JobId job) {
  return locked(LW_EXCLUSIVE, [&](Leaders leaders) { return leaders.vacate(lead_key(database, key), job.value); });
}

bool remove_lead(DatabaseOid database, const Digest &key, JobId job) {
  return locked(LW_EXCLUSIVE, [&](Leaders leaders) { return leaders.remove(lead_key(database, key), job.value); });
}

bool spoil_lead(DatabaseOid database, const Digest &key, JobId job) {
  return locked(LW_EXCLUSIVE, [&](Leaders leaders) { return leaders.spoil(lead_key(database, key), job.value); });
}

bool is_led(DatabaseOid database, const Digest &key, WallTime until) {
  return locked(LW_SHARED, [&](Leaders leaders) { return leaders.is_led(lead_key(database, key), until); });
}

}  // namespace agent_queue::pg::shared
