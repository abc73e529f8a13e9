// What providers count for prompts of known length, by model: taken down in memory by each worker, and added to
// agent_token_ratios every few seconds, because a row that each settle would update dies of it. A worker that dies
// takes the last seconds of its statistics with it. Regime: guarded C++; own transactions. Tested in
// test/tap/320_estimates.pl.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.hpp"
#include "core/cost/token_ratio.hpp"
#include "core/job/job.hpp"
#include "ports/job_store.hpp"
#include "ports/log.hpp"

namespace agent_queue::pg {

class TokenStatistics {
 public:
  explicit TokenStatistics(Log &log) : log_(log) {}

  // After a commit: usage that was written.
  void note(std::span<const Settlement> settlements, const std::vector<SettleFate> &fates);

  // Adds what was noted to the table, if there is something and the time has come. Outside a transaction. Throws
  // PgError for a cancel or a shutdown only; after any other failure it is tried again later.
  void fold_if_due(Now now);

 private:
  struct Sample {
    std::int64_t letters;
    std::int64_t input_tokens;
    std::int64_t output_tokens;
  };
  using Model = std::pair<std::string, std::string>;  // provider, model
  using Ratios = std::map<Model, TokenRatio>;

  Ratios read_known() const;
  void write(const Ratios &added, Now now) const;

  Log &log_;
  std::map<Model, std::vector<Sample>> noted_;  // in order: workers that fold at the same time do not deadlock
  std::size_t count_ = 0;
  SteadyTime next_fold_{};
};

}  // namespace agent_queue::pg
