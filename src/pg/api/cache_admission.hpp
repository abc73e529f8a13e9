// Admission and the response cache: the key that a new job carries, and the answer that it may have at once.
// Regime: guarded C++. Tested in sql/cache.sql.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/base/ids.hpp"
#include "core/catalog/catalog.hpp"
#include "pg/api/job_row.hpp"

namespace agent_queue::pg {

// A job that was admitted with its answer: for its row of api_usage.
struct AdmittedHit {
  JobId job;
  std::optional<UserId> user;
  std::string agent_type;
  std::optional<std::string> provider;
  std::optional<std::string> model;
  std::optional<std::string> saved_usd;
  std::int64_t at = 0;  // TimestampTz
};

// Gives the row its cache_key, where its agent type has a cache. False: it has none, or the request lacks what the
// answer depends on.
bool admit_cache_key(JobRow &row, const AgentType &type, const std::optional<UserId> &user);

// Completes a row that has a key, at `now`, if its answer is stored: by the statement's snapshot, so that no answer is
// found that was invalidated before.
std::optional<AdmittedHit> answer_at_once(JobRow &row, const AgentType &type, const std::optional<UserId> &user,
                                          std::int64_t now);

// Writes the rows of api_usage of those hits whose jobs are among `inserted`, as the extension's owner. SPI must be
// connected; its last result is gone afterwards.
void write_hits(const std::vector<AdmittedHit> &hits, const std::unordered_set<std::int64_t> &inserted);

}  // namespace agent_queue::pg
