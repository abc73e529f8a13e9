// Writes what becomes of the rows that a claim has found and locked: called, refused, or put back for later.
// One per worker. Regime: guarded C++.
#pragma once

#include <span>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/catalog/catalog.hpp"
#include "pg/store/answer_cache.hpp"
#include "pg/store/budget_keeper.hpp"
#include "pg/store/job_rows.hpp"
#include "pg/store/statements.hpp"

namespace agent_queue::pg {

class ClaimWriter {
 public:
  ClaimWriter(ClaimToken claim, BudgetKeeper &budgets, AnswerCache &answers)
      : claim_(claim), budgets_(budgets), answers_(answers) {}

  // In the claim's transaction. Sets started_at of those that begin. One ruling per row; what has its end goes to
  // `ended`. Throws PgError.
  std::vector<Ruling> write(Statements &statements, const Catalog &catalog, std::span<JobRow *const> rows, Now now,
                            std::vector<EndedJob> &ended);

 private:
  std::vector<Ruling> rule_all(const Catalog &catalog, std::span<JobRow *const> rows, Now now,
                               std::vector<EndedJob> &ended);
  Ruling rule(const Catalog &catalog, JobRow &row, const AnswerCache::Consulted &consulted, Now now);
  void begin(Statements &statements, std::span<const JobRow *const> rows, WallTime at);

  ClaimToken claim_;
  BudgetKeeper &budgets_;
  AnswerCache &answers_;
};

}  // namespace agent_queue::pg
