#include "pg/worker/event_loop.hpp"

#include <algorithm>

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

// POD only.
static WaitEventSet *make_events(int transport_fd) {
  WaitEventSet *events = AQ_CREATE_WAIT_EVENT_SET(3);
  AddWaitEventToSet(events, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, nullptr);
  AddWaitEventToSet(events, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, nullptr, nullptr);
  AddWaitEventToSet(events, WL_SOCKET_READABLE, transport_fd, nullptr, nullptr);
  return events;
}

static void wait_once(WaitEventSet *events, long timeout_ms) {
  WaitEvent event;
  if (WaitEventSetWait(events, timeout_ms, &event, 1, PG_WAIT_EXTENSION) > 0 && (event.events & WL_LATCH_SET) != 0)
    ResetLatch(MyLatch);
}

EventLoop::EventLoop(int transport_fd) : events_(guard([&] { return make_events(transport_fd); })) {}

EventLoop::~EventLoop() {
  guard_noexcept("free the wait event set", [this] { FreeWaitEventSet(events_); });
}

void EventLoop::wait(Micros timeout) {
  // Whole milliseconds, rounded up: rounding down would make a busy loop of the last one.
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::max(timeout, Micros{0})).count();
  guard([&] { wait_once(events_, static_cast<long>(ms)); });
}

void serve_interrupts() {
  if (INTERRUPTS_PENDING_CONDITION()) guard([] { ProcessInterrupts(); });
}

}  // namespace agent_queue::pg
