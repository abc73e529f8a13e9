// The place in line: agent_queue.claim_key, smallest first. Pure. Tested in test/unit/claim_key_test.cpp.
//
//   claim_key = microseconds from 2000-01-01 00:00 UTC to run_at  +  priority × kAgeingStep
//
// So a job of priority p is overtaken by jobs of priority q < p only while they become due within (p - q) × 30 s after
// it: priority orders, age wins in the end, and nobody starves. adopt_jobs() computes the same in SQL
// (pg/api/adopt_sql.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

#include "core/base/time.hpp"

namespace agent_queue {

// How much later a job would have to come to be equal to one of the next priority.
inline constexpr Micros kAgeingStep = std::chrono::seconds(30);

// Where Postgres' timestamps have their zero: 2000-01-01 00:00 UTC.
inline constexpr WallTime kClaimKeyEpoch{std::chrono::sys_days(std::chrono::year{2000} / 1 / 1)};

// Saturates at the ends of what a bigint holds. `run_at` is counted in microseconds since kClaimKeyEpoch.
constexpr std::int64_t claim_key(Micros run_at_since_epoch, int priority) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  const std::int64_t base = run_at_since_epoch.count();
  const std::int64_t ageing = kAgeingStep.count() * priority;
  if (ageing > 0 && base > kMax - ageing) return kMax;
  if (ageing < 0 && base < kMin - ageing) return kMin;
  return base + ageing;
}

constexpr std::int64_t claim_key(WallTime run_at, int priority) {
  return claim_key(run_at - kClaimKeyEpoch, priority);
}

}  // namespace agent_queue
