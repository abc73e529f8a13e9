// One descriptor for everything that can happen: an epoll set with curl's sockets and one timerfd.
//
// System calls are saved where curl would waste them: when a transfer ends curl stops watching its socket, and the
// next transfer on that connection watches it again. The interest stays registered here; only an event that nobody
// wants takes it away. Level-triggered, because curl reads one buffer per event. Tested in
// test/unit/transport_test.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "net/curl_handles.hpp"

namespace agent_queue {

inline constexpr SteadyTime kNever = SteadyTime::max();

inline SteadyTime steady_now() {
  return std::chrono::time_point_cast<Micros>(std::chrono::steady_clock::now());
}

class EventPoll {
 public:
  struct Ready {
    int fd;
    int owner;            // as given to want()
    int curl_events = 0;  // CURL_CSELECT_*
  };
  static constexpr int kBatch = 256;

  static Result<std::unique_ptr<EventPoll>> create();

  int fd() const { return epoll_.get(); }

  // A socket that we open and close ourselves: its interest may outlive the transfer.
  void opened(int socket);
  void closed(int socket);

  // curl_what: CURL_POLL_*. False: the kernel does not take it (no memory, too many watches).
  bool want(int socket, int curl_what, int owner);

  // Does not wait. The span is valid until the next call.
  std::span<const Ready> ready(int most);

  // The descriptor becomes readable at that time at the latest. It may also wake for an earlier time asked before.
  void wake_at(SteadyTime when);
  // The last wake_at() has been answered or has passed.
  void woken(SteadyTime now);

 private:
  struct Watch {
    std::uint32_t registered = 0;  // in the kernel
    std::uint32_t wanted = 0;      // by curl
    std::int32_t owner = 0;
    bool ours = false;
  };

  EventPoll(UniqueFd epoll, UniqueFd timer) : epoll_(std::move(epoll)), timer_(std::move(timer)) {}
  Watch &watch(int socket);
  bool set_registered(int socket, Watch &entry, std::uint32_t events);

  UniqueFd epoll_;
  UniqueFd timer_;
  SteadyTime armed_ = kNever;
  std::vector<Watch> watches_;  // by descriptor
  std::vector<Ready> ready_;
};

}  // namespace agent_queue
