// Admission: what a new job must be and what it is given, for enqueue_agent() and for a plain INSERT alike: the trigger
// function aq_admit, BEFORE INSERT FOR EACH ROW on agent_queue. It decides and never writes, and runs no SQL, but to
// look into the response cache for a job that has one. Regime: guarded C++. Tested in sql/enqueue.sql, sql/identity.sql
// and sql/delay_priority.sql.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "pg/api/cache_admission.hpp"

namespace agent_queue::pg {

// While it lives, the jobs that are admitted are one call's: they are born at `now` (a TimestampTz), each a microsecond
// after the one before, their given times moved likewise. So "run in an hour" is exactly that, and all the jobs of a
// bulk have a place of their own in the line. Those whose answers are stored are born completed; a job of a plain
// INSERT is not, because its client waits for an UPDATE: a worker completes it.
class AdmissionCall {
 public:
  enum class Cache { used, skipped };

  AdmissionCall(std::int64_t now, Cache cache);
  ~AdmissionCall();
  AdmissionCall(const AdmissionCall &) = delete;
  AdmissionCall &operator=(const AdmissionCall &) = delete;

  // How many jobs were looked at so far, counting the one that is being looked at.
  std::int64_t jobs_seen() const { return jobs_seen_; }

  bool skips_cache() const { return cache_ == Cache::skipped; }
  // Is the row that is being admitted one of the call's own, and not one that a trigger inserts meanwhile?
  bool is_own() const;
  void note_hit(AdmittedHit hit) { hits_.push_back(std::move(hit)); }
  // Of jobs that were admitted with their answers; some may not have been inserted.
  const std::vector<AdmittedHit> &hits() const { return hits_; }

 private:
  friend struct AdmissionClock;

  std::int64_t now_;
  Cache cache_;
  int trigger_depth_;
  std::vector<AdmittedHit> hits_;
  std::int64_t jobs_seen_ = 0;
  AdmissionCall *outer_;
};

}  // namespace agent_queue::pg
