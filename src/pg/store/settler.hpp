// Writes settlements: locks what is still ours without waiting, updates it, inserts usage, notifies.
// All of it in the caller's transaction. Regime: guarded C++.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/job/job.hpp"
#include "pg/store/statements.hpp"
#include "pg/wrap/arrays.hpp"
#include "ports/job_store.hpp"

namespace agent_queue::pg {

// A job that has reached its end in this transaction: who waits for it is woken after the commit.
struct EndedJob {
  JobId id;
  const char *status = "completed";
  std::string_view result;  // JSON; points into the settlement
};

class Settler {
 public:
  explicit Settler(ClaimToken claim) : claim_(claim) {}

  // One fate per settlement, in order; ended jobs are appended to `ended`.
  std::vector<SettleFate> settle(Statements &statements, std::span<const Settlement> settlements,
                                 std::vector<EndedJob> &ended);

 private:
  using Refs = std::vector<const Settlement *>;

  // Writes those that are ours and that nobody has locked. True in `written` for each of them, by its place.
  std::vector<bool> write(Statements &statements, const Refs &settlements);
  // What becomes of those that write() left.
  void judge(Statements &statements, const Refs &left, std::span<const Settlement> settlements,
             std::vector<SettleFate> &fates);
  void write_usage(Statements &statements, const Refs &settlements);

  ClaimToken claim_;
};

}  // namespace agent_queue::pg
