// Writes the alerts of budgets that are near their limit, once each, and tells of them on channel agent_alerts.
// Regime: guarded C++, in a transaction of the store.
#pragma once

#include <span>

#include "pg/shared/ledger.hpp"
#include "pg/store/payers.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/schema_plan.hpp"

namespace agent_queue::pg {

class AlertWriter {
 public:
  AlertWriter();

  // Throws PgError.
  void write(std::span<const shared::Alert> alerts, const Payers &payers, const Installation &where);

 private:
  SchemaPlan insert_;
};

}  // namespace agent_queue::pg
