// Fills the ledger from the tables, once after each start of the server and after each CREATE EXTENSION. Nothing is
// claimed before. Jobs of today are counted by walking the primary key from its end, so that it takes as long as
// today's jobs are many. Regime: guarded C++. Tested in test/tap/310_budgets.pl.
#pragma once

#include "core/base/time.hpp"
#include "pg/shared/ledger.hpp"
#include "pg/wrap/installation.hpp"
#include "ports/log.hpp"

namespace agent_queue::pg {

class LedgerLoader {
 public:
  LedgerLoader(shared::DatabaseOid database, Log &log) : database_(database), log_(log) {}

  // True: the ledger is ready. False: another worker is filling it, or it could not be done now. In a transaction of
  // its own. Throws PgError for a cancel or a shutdown only.
  bool ensure(Now now);
  // What was ensured is that of another extension: look again.
  void forget() { key_ = {}; }

 private:
  void load(shared::LedgerKey key, const Windows &windows, const Installation &where);
  void load_spent(shared::LedgerKey key, const Windows &windows, const Installation &where);
  void load_held(shared::LedgerKey key, const Installation &where);
  void load_requests(shared::LedgerKey key, const Windows &windows, const Installation &where);
  void complain(const std::string &message, Now now);

  shared::DatabaseOid database_;
  Log &log_;
  shared::LedgerKey key_;
  bool is_full_ = false;
  SteadyTime next_complaint_{};
  SteadyTime next_try_{};  // after a failure
  int failures_ = 0;       // in a row
};

}  // namespace agent_queue::pg
