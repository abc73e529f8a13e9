// Scheduled jobs whose time has come. One per worker. Regime: guarded C++; the transactions are the store's.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/time.hpp"
#include "core/upkeep/batch_limit.hpp"
#include "pg/shared/databases.hpp"
#include "pg/store/job_rows.hpp"
#include "pg/store/statements.hpp"
#include "ports/log.hpp"

namespace agent_queue::pg {

class Promoter {
 public:
  Promoter(shared::DatabaseOid database, Log &log) : database_(database), log_(log) {}

  // In a transaction: those that are due become pending. What was found stands in found() also when it throws PgError.
  void promote(Statements &statements, Now now);
  std::size_t found() const { return due_.size(); }

  // After its commit: their lanes are offered. Returns their number.
  int on_commit();
  // After a failure that a row may be to blame for: fewer are tried next; a row that stood alone is passed over.
  void on_refusal(const std::string &message, Now now);

  // The earliest run_at as far as known.
  std::optional<WallTime> next_due() const;
  void note_due(WallTime run_at);

 private:
  shared::DatabaseOid database_;
  Log &log_;
  std::optional<WallTime> next_due_;
  BatchLimit limit_{1000};
  SetAsideJobs unpromotable_;
  // Of the running transaction:
  std::vector<PlacedId> due_;
  std::vector<LaneKey> promoted_;
  std::optional<WallTime> next_;
};

}  // namespace agent_queue::pg
