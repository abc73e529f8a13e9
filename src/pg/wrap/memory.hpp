// Memory contexts as scopes. Regime: guarded C++.
#pragma once

struct MemoryContextData;

namespace agent_queue::pg {

// A context that lives for a scope and is the current one in it: what leaf functions palloc inside is gone afterwards.
class ScratchContext {
 public:
  explicit ScratchContext(const char *name);  // a string literal
  ~ScratchContext();
  ScratchContext(const ScratchContext &) = delete;
  ScratchContext &operator=(const ScratchContext &) = delete;

 private:
  MemoryContextData *context_;
  MemoryContextData *before_;
};

}  // namespace agent_queue::pg
