// JobStore in memory, with the semantics that Postgres gives to the port: one FakeStore is one worker's session on the
// shared Database; a round is collected first and committed as a whole or not at all.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ports/job_store.hpp"
#include "sim/database.hpp"
#include "sim/faults.hpp"

namespace agent_queue::sim {

class FakeStore : public JobStore {
 public:
  FakeStore(Database &database, Faults &faults, ClaimToken claim)
      : database_(database), faults_(faults), claim_(claim) {}

  RoundResult round(const Round &round, Now now) override;
  std::optional<std::vector<ClaimedJob>> rescue(Now now) override;
  std::optional<int> promote_due(Now now) override;
  std::optional<WallTime> next_due() const override { return next_due_; }
  bool work_hinted() override { return database_.is_hinted(claim_.incarnation); }
  bool cancel_hinted() override { return database_.is_cancel_hinted(claim_.incarnation); }
  std::vector<std::size_t> take_cancelled(std::span<const AttemptId> calls, Now now) override;
  bool rescue_hinted() override { return database_.is_death_known(); }
  std::shared_ptr<const Catalog> catalog() override { return catalog_; }

 private:
  struct Told {  // for the ledger, at commit
    Settlement settlement;
    JobRow before;
  };
  struct Transaction {
    std::map<std::int64_t, JobRow> rows;
    std::vector<UsageRow> usage;
    std::vector<Told> told;
    std::vector<StreamPart> parts;
    std::vector<Settlement> ended;     // whose text so far goes
    std::vector<AttemptId> adopted;    // orphans of the dead
    std::vector<AttemptId> forgotten;  // orphans that are settled
  };

  SettleFate settle(Transaction &tx, const Settlement &settlement);
  void write_parts(Transaction &tx, const Round &round) const;
  void write_end(Transaction &tx, JobRow row, const Settlement &settlement);
  void check_retry(const JobRow &row, const Settlement &settlement) const;
  void claim(Transaction &tx, int limit, Now now, RoundReport &report);
  std::vector<const JobRow *> claimable() const;
  bool is_unstorable(const Settlement &settlement) const;
  bool is_local(const std::string &agent_type) const;
  void commit(const Transaction &tx);

  Database &database_;
  Faults &faults_;
  ClaimToken claim_;
  std::shared_ptr<const Catalog> catalog_;
  std::optional<WallTime> next_due_;
};

}  // namespace agent_queue::sim
