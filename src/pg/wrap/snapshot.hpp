// A snapshot of now for a few statements, whatever the isolation level of the session. Regime: guarded C++.
#pragma once

namespace agent_queue::pg {

// From the constructor to pop() the latest snapshot is the active one. An abort pops it otherwise.
class LatestSnapshot {
 public:
  LatestSnapshot();
  LatestSnapshot(const LatestSnapshot &) = delete;
  LatestSnapshot &operator=(const LatestSnapshot &) = delete;
  void pop();
};

}  // namespace agent_queue::pg
