#include "pg/wrap/memory.hpp"

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

// AllocSetContextCreate is a macro that wants a literal; the name pointer is kept, so it must be one anyway.
static MemoryContext create(const char *name) {
  return AllocSetContextCreateInternal(CurrentMemoryContext, name, ALLOCSET_DEFAULT_SIZES);
}

ScratchContext::ScratchContext(const char *name)
    : context_(guard([&] { return create(name); })), before_(MemoryContextSwitchTo(context_)) {}

// MemoryContextDelete raises only on corruption; the context may already be gone with an aborted transaction's parent,
// which is why scratch contexts are made inside a transaction's scope and die before it.
ScratchContext::~ScratchContext() {
  MemoryContextSwitchTo(before_);
  MemoryContextDelete(context_);
}

}  // namespace agent_queue::pg
