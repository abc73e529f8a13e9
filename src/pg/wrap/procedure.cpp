#include "pg/wrap/procedure.hpp"

#include <exception>

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

static void connect_nonatomic() {
  MemoryContext home = CurrentMemoryContext;
  if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT) elog(ERROR, "SPI_connect_ext failed");
  MemoryContextSwitchTo(home);
  EnsurePortalSnapshotExists();  // arguments may lie in toast
}

ProcedureScope::ProcedureScope() : uncaught_(std::uncaught_exceptions()) {
  guard(connect_nonatomic);
}

ProcedureScope::~ProcedureScope() {
  if (std::uncaught_exceptions() == uncaught_) guard_noexcept("leave SPI", [] { SPI_finish(); });
}

void ProcedureScope::commit() {
  guard(SPI_commit);
}

}  // namespace agent_queue::pg
