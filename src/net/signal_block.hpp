// Threads inherit the signal mask of the thread that starts them, and a signal of the server must never be
// delivered to one of curl's resolver threads. curl announces each resolver thread before it starts one, so the
// mask is changed at that moment and put back when poll() ends: no system call for a poll() that starts none.
// Tested in test/unit/transport_test.cpp (a resolver thread has all signals blocked, the mask is put back).
#pragma once

#include <csignal>

namespace agent_queue {

class SignalBlock {
 public:
  SignalBlock() = default;
  SignalBlock(const SignalBlock &) = delete;
  SignalBlock &operator=(const SignalBlock &) = delete;
  ~SignalBlock() { restore(); }

  void block() noexcept {
    if (blocked_) return;
    sigset_t all;
    sigfillset(&all);
    blocked_ = pthread_sigmask(SIG_SETMASK, &all, &saved_) == 0;
  }

  void restore() noexcept {
    if (blocked_) pthread_sigmask(SIG_SETMASK, &saved_, nullptr);
    blocked_ = false;
  }

 private:
  bool blocked_ = false;
  sigset_t saved_{};
};

}  // namespace agent_queue
