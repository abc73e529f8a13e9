// Writes settlements: locks what is still ours without waiting, updates it, inserts usage, notifies.
// All of it in the caller's transaction. Regime: guarded C++.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/job/job.hpp"
#include "pg/store/answer_cache.hpp"
#include "pg/store/ended_job.hpp"
#include "pg/store/statements.hpp"
#include "pg/wrap/arrays.hpp"
#include "ports/job_store.hpp"

namespace agent_queue::pg {

class Settler {
 public:
  Settler(ClaimToken claim, AnswerCache &answers) : claim_(claim), answers_(answers) {}

  // One fate per settlement, in order; ended jobs are appended to `ended`.
  std::vector<SettleFate> settle(Statements &statements, const Catalog &catalog,
                                 std::span<const Settlement> settlements, Now now, std::vector<EndedJob> &ended);

 private:
  using Refs = std::vector<const Settlement *>;

  // Writes those that are ours and that nobody has locked. True in `written` for each of them, by its place.
  std::vector<bool> write(Statements &statements, const Refs &settlements);
  // What becomes of those that write() left.
  void judge(Statements &statements, const Refs &left, std::span<const Settlement> settlements,
             std::vector<SettleFate> &fates);
  void write_usage(Statements &statements, const Refs &settlements);

  ClaimToken claim_;
  AnswerCache &answers_;
};

}  // namespace agent_queue::pg
