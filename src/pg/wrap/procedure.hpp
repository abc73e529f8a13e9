// SPI for a procedure that commits. Regime: guarded C++.
#pragma once

namespace agent_queue::pg {

// Connected to SPI for its scope; the current memory context stays the caller's, which outlives a commit. When an
// exception leaves the scope, the abort cleans up instead.
class ProcedureScope {
 public:
  ProcedureScope();
  ~ProcedureScope();
  ProcedureScope(const ProcedureScope &) = delete;
  ProcedureScope &operator=(const ProcedureScope &) = delete;

  // Ends the transaction and begins the next one, which has neither snapshot nor locks. Inside a scope only, with no
  // other SPI connection within it.
  static void commit();

 private:
  int uncaught_;
};

}  // namespace agent_queue::pg
