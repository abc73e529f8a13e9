// Admission: where in line a job stands. Regime: guarded C++. Tested in sql/fairness.sql.
#pragma once

#include <cstdint>
#include <string_view>

#include "pg/shared/ledger.hpp"

namespace agent_queue::pg {

// The virtual start time (TimestampTz, from `now` on) of a job that may run at once. Jobs of the system stand where
// they come; those of users one step apart, by the tier's weight. Given back when the transaction is rolled back.
std::int64_t stand_in_line(const shared::Payer &payer, std::string_view queue, std::string_view agent_type,
                           int priority, std::int64_t now);

}  // namespace agent_queue::pg
