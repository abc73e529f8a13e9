#include "pg/store/whole_update.hpp"

#include <string>

#include "pg/boundary/errors.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

void check_all_updated(std::size_t updated, std::size_t rows) {
  if (updated == rows) return;
  raise(sqlstate("27000"), {.message = "a trigger on agent_queue kept " + std::to_string(rows - updated) + " of " +
                                       std::to_string(rows) + " rows as they were",
                            .detail = {},
                            .hint = "Let the trigger return NEW."});
}

void update_all(RowsPlan &update, DatumValue *values, std::size_t rows) {
  check_all_updated(update.run(values, rows), rows);
}

}  // namespace agent_queue::pg
