#include "pg/store/trouble.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

bool is_passing_trouble(int state) {
  switch (ERRCODE_TO_CATEGORY(state)) {
    case ERRCODE_TRANSACTION_ROLLBACK:
    case ERRCODE_INSUFFICIENT_RESOURCES:
    case ERRCODE_OPERATOR_INTERVENTION:
    case ERRCODE_IO_ERROR:
      return true;
    default:
      return state == ERRCODE_READ_ONLY_SQL_TRANSACTION || state == ERRCODE_OBJECT_IN_USE;
  }
}

}  // namespace agent_queue::pg
