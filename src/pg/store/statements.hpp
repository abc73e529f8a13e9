// The store's kept plans, rendered for one installation. Made anew when the extension is.
#pragma once

#include "pg/store/rows_plan.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/spi.hpp"

namespace agent_queue::pg {

struct Statements {
  explicit Statements(const Installation &where);

  KeptPlan claim_lane;
  RowsPlan mark_claimed;
  RowsPlan end_uncalled;
  RowsPlan park;
  KeptPlan waiting_lanes;
  KeptPlan lock_settled;
  KeptPlan still_ours;
  RowsPlan settle;
  RowsPlan usage;
  KeptPlan write_parts;
  KeptPlan remove_parts;
  KeptPlan sweep_parts;
  KeptPlan claims;
  KeptPlan lost;
  KeptPlan take_over;
  KeptPlan take_over_orphans;
  KeptPlan remove_orphans;
  KeptPlan due;
  KeptPlan promote;
  KeptPlan next_due;
  KeptPlan backlog;
};

}  // namespace agent_queue::pg
