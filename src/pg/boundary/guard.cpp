// The sigsetjmp of the boundary. POD only: no object with a destructor lives in this file.
#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg::detail {

// The error is copied into a context of its own, so that PgError frees it in one stroke wherever it ends.
static ErrorData *take_error() {
  MemoryContext home = AllocSetContextCreate(TopMemoryContext, "agent_queue error", ALLOCSET_SMALL_SIZES);
  MemoryContext before = MemoryContextSwitchTo(home);
  ErrorData *error = CopyErrorData();
  MemoryContextSwitchTo(before);
  FlushErrorState();
  return error;
}

// Nothing is changed after sigsetjmp that is read after the longjmp: all saved values are const.
__attribute__((noinline)) ErrorData *run_guarded(void (*body)(void *), void *argument) {
  sigjmp_buf *const outer_stack = PG_exception_stack;
  ErrorContextCallback *const outer_context = error_context_stack;
  const MemoryContext outer_memory = CurrentMemoryContext;
  sigjmp_buf here;

  if (sigsetjmp(here, 0) == 0) {
    PG_exception_stack = &here;
    body(argument);
    PG_exception_stack = outer_stack;
    error_context_stack = outer_context;
    return nullptr;
  }
  PG_exception_stack = outer_stack;
  error_context_stack = outer_context;
  MemoryContextSwitchTo(outer_memory);
  return take_error();
}

void warn_of_cleanup_failure(ErrorData *error, const char *what) noexcept {
  ereport(WARNING, (errmsg("agent_queue: could not %s: %s", what, error->message ? error->message : "unknown error")));
  MemoryContextDelete(GetMemoryChunkContext(error));
}

}  // namespace agent_queue::pg::detail
