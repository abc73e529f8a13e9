// An UPDATE of rows that are locked, by ctid: it has to change every one of them. A BEFORE trigger that returns NULL
// leaves a row as it is without a word; taken for done, a job would be called that was never claimed. Regime: guarded
// C++.
#pragma once

#include <cstddef>

#include "pg/store/rows_plan.hpp"
#include "pg/wrap/arrays.hpp"

namespace agent_queue::pg {

// Throws PgError 27000 where fewer rows than `rows` were changed, to be narrowed down like any error of a trigger.
void update_all(RowsPlan &update, DatumValue *values, std::size_t rows);
void check_all_updated(std::size_t updated, std::size_t rows);

}  // namespace agent_queue::pg
