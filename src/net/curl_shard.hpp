// One curl multi handle for a bounded number of calls. curl looks for a connection to use again, and forgets a closed
// one, by walking through all of a host; with thousands in one multi handle that walk costs more than the call.
// Measured with bench/transport_ceiling.cpp, tested in test/unit/transport_test.cpp.
#pragma once

#include "net/curl_handles.hpp"
#include "net/event_poll.hpp"

namespace agent_queue {

class CurlShard {
 public:
  // nullptr: out of memory or descriptors.
  static std::unique_ptr<CurlShard> create(EventPoll &events, int index, bool https, int capacity);

  bool https() const { return https_; }
  bool full() const { return transfers_ >= capacity_; }
  void count_transfer() { ++transfers_; }

  bool add(CURL *easy) { return curl_multi_add_handle(multi_.get(), easy) == CURLM_OK; }
  void remove(CURL *easy) { curl_multi_remove_handle(multi_.get(), easy); }

  // When curl wants drive_timer().
  SteadyTime due() const { return due_; }
  void drive_timer() { drive(CURL_SOCKET_TIMEOUT, 0); }
  void drive(curl_socket_t socket, int curl_events);

  // Driven since the last call: transfers may have ended.
  bool take_driven() { return std::exchange(driven_, false); }

  // The next transfer that ended; nullptr: none.
  CURL *next_ended(CURLcode &code);

 private:
  CurlShard(EventPoll &events, int index, bool https, int capacity, CurlMulti multi)
      : events_(events), index_(index), https_(https), capacity_(capacity), multi_(std::move(multi)) {}

  static int on_socket(CURL *easy, curl_socket_t socket, int what, void *self, void *) noexcept;
  static int on_timer(CURLM *, long timeout_ms, void *self) noexcept;

  EventPoll &events_;
  const int index_;
  const bool https_;
  const int capacity_;
  int transfers_ = 0;
  bool driven_ = false;
  SteadyTime due_ = kNever;
  CurlMulti multi_;
};

}  // namespace agent_queue
