// The end of the entry door: raising what is left of an exception. POD only.
#include "pg/boundary/entry.hpp"

#include <cstdio>

#include "pg/pg.hpp"

namespace agent_queue::pg::detail {

void capture(Captured &captured, const char *five, const char *message) noexcept {
  captured.sqlstate = MAKE_SQLSTATE(five[0], five[1], five[2], five[3], five[4]);
  std::snprintf(captured.message, sizeof(captured.message), "%s", message);
}

void rethrow_captured(const Captured &captured) {
  if (captured.error == nullptr) ereport(ERROR, (errcode(captured.sqlstate), errmsg_internal("%s", captured.message)));

  // The copy lives in a context of its own; it is freed with the current one, when the error has been handled.
  MemoryContext home = GetMemoryChunkContext(captured.error);
  MemoryContextSetParent(home, CurrentMemoryContext == ErrorContext ? TopMemoryContext : CurrentMemoryContext);
  ReThrowError(captured.error);
}

}  // namespace agent_queue::pg::detail
