#include "pg/api/cache_session.hpp"

#include <algorithm>
#include <vector>

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

struct Computation {
  Digest digest;
  Snapshot snapshot;  // registered with the transaction
  int nest_level;
};

// Those of inner subtransactions lie behind those of outer ones.
std::vector<Computation> &computations() {
  static auto *kept = new std::vector<Computation>;  // never destroyed: no order at exit
  return *kept;
}

void end_last() {
  UnregisterSnapshotFromOwner(computations().back().snapshot, TopTransactionResourceOwner);
  computations().pop_back();
}

// At an abort the transaction gives its snapshots back itself.
void on_transaction_end(XactEvent event, void *) {
  if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
    while (!computations().empty()) end_last();
  if (event == XACT_EVENT_ABORT) computations().clear();
}

void on_subtransaction_end(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
  std::vector<Computation> &all = computations();
  const int level = GetCurrentTransactionNestLevel();
  if (event == SUBXACT_EVENT_ABORT_SUB)
    while (!all.empty() && all.back().nest_level >= level) end_last();
  if (event == SUBXACT_EVENT_COMMIT_SUB)
    for (auto one = all.rbegin(); one != all.rend() && one->nest_level >= level; ++one) one->nest_level = level - 1;
}

// POD only.
void register_callbacks() {
  RegisterXactCallback(on_transaction_end, nullptr);
  RegisterSubXactCallback(on_subtransaction_end, nullptr);
}

// POD only.
Snapshot keep_snapshot() {
  const Snapshot now = IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : GetLatestSnapshot();
  return RegisterSnapshotOnOwner(now, TopTransactionResourceOwner);
}

}  // namespace

void begin_computation(const Digest &digest) {
  static bool is_registered = false;
  if (!is_registered) {
    guard(register_callbacks);
    is_registered = true;
  }
  if (snapshot_of_computation(digest) != nullptr) return;
  std::vector<Computation> &all = computations();
  all.reserve(all.size() + 1);  // before the snapshot is kept: what is not noted would be a leak
  const Snapshot snapshot = guard(keep_snapshot);
  all.push_back({digest, snapshot, GetCurrentTransactionNestLevel()});
}

SnapshotData *snapshot_of_computation(const Digest &digest) noexcept {
  const std::vector<Computation> &all = computations();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Computation &one) { return one.digest == digest; });
  return found == all.end() ? nullptr : found->snapshot;
}

}  // namespace agent_queue::pg
