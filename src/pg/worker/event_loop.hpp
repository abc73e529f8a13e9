// The worker's one wait point: its latch, the postmaster's death and the transport's epoll descriptor in one
// WaitEventSet. Regime: guarded C++.
#pragma once

#include "core/base/time.hpp"

struct WaitEventSet;

namespace agent_queue::pg {

class EventLoop {
 public:
  explicit EventLoop(int transport_fd);
  ~EventLoop();
  EventLoop(const EventLoop &) = delete;
  EventLoop &operator=(const EventLoop &) = delete;

  // Returns when the latch was set (and resets it), the transport has something to do, or the time is over.
  // Ends the process when the postmaster is gone.
  void wait(Micros timeout);

 private:
  WaitEventSet *events_;
};

// CHECK_FOR_INTERRUPTS, as an exception: ends the process on SIGTERM; throws on a cancel.
void serve_interrupts();

}  // namespace agent_queue::pg
