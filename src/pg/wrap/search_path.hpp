// SQL of ours that runs with the owner's rights in a user's session must not see the user's search_path: an operator
// of the user's would run as the owner. Regime: guarded C++.
#pragma once

namespace agent_queue::pg {

// Within the scope search_path is pg_catalog, pg_temp. When an exception leaves the scope, the (sub)transaction's abort
// restores the setting.
class LockedSearchPath {
 public:
  LockedSearchPath();
  ~LockedSearchPath();
  LockedSearchPath(const LockedSearchPath &) = delete;
  LockedSearchPath &operator=(const LockedSearchPath &) = delete;

 private:
  int uncaught_;
  int guc_level_;
};

}  // namespace agent_queue::pg
