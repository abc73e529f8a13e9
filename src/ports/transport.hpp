// Port: carries HTTP requests, thousands at a time, without blocking. Implemented by net/ and by test/sim's fake.
#pragma once

#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/wire/http.hpp"

namespace agent_queue {

enum class TransportError {
  none,
  resolve,          // the host's name gave no address
  blocked_address,  // it gave an address that must not be called
  connect,          // refused, unreachable
  tls,              // handshake or certificate
  connect_timeout,
  first_byte_timeout,
  idle_timeout,
  total_timeout,
  broken,     // the connection ended before the answer was whole
  too_large,  // body or headers over their bound
  bad_url,    // URL or headers that cannot be sent
  protocol,   // not HTTP, or HTTP that breaks its own rules
  exhausted,  // no descriptors, no memory on our side
  cancelled,  // by cancel()
};
constexpr const char *transport_error_name(TransportError error) {
  switch (error) {
    case TransportError::none:
      return "none";
    case TransportError::resolve:
      return "resolve";
    case TransportError::blocked_address:
      return "blocked_address";
    case TransportError::connect:
      return "connect";
    case TransportError::tls:
      return "tls";
    case TransportError::connect_timeout:
      return "connect_timeout";
    case TransportError::first_byte_timeout:
      return "first_byte_timeout";
    case TransportError::idle_timeout:
      return "idle_timeout";
    case TransportError::total_timeout:
      return "total_timeout";
    case TransportError::broken:
      return "broken";
    case TransportError::too_large:
      return "too_large";
    case TransportError::bad_url:
      return "bad_url";
    case TransportError::protocol:
      return "protocol";
    case TransportError::exhausted:
      return "exhausted";
    case TransportError::cancelled:
      return "cancelled";
  }
  return "unknown";
}

struct CallEnd {
  CallId id;
  TransportError error = TransportError::none;
  std::string message;        // error only: for a person; says where the time went for time-outs; no secrets
  bool request_sent = false;  // bytes of the request left (or may have left) this machine
  HttpResponse response;      // error == none only
  Micros time_total{0};
};

// What has come of the answer to a call that was submitted with HttpRequest::stream, if its status is good (2xx).
struct CallProgress {
  CallId id;
  std::string bytes;     // of the body, cut anywhere; never empty
  SteadyTime at{};       // when the last of them came
  SteadyTime sent_at{};  // when the request had left, as far as is known
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Starts the call. Never fails: what goes wrong comes as a CallEnd of a later poll().
  virtual void submit(CallId id, HttpRequest request) = 0;

  // Breaks a call off at once. A later poll() gives its CallEnd, with the error `cancelled` and whether bytes of the
  // request had left. A call that has ended before keeps the end that it has; unknown ids are ignored.
  virtual void cancel(CallId id) = 0;

  // Breaks a call off whose end the caller knows already: there will be no CallEnd. Unknown ids are ignored.
  virtual void forget(CallId id) = 0;

  // Drives all calls as far as they go without waiting and appends those that ended to `ended`.
  virtual void poll(std::vector<CallEnd> &ended) = 0;

  // Appends what the polls have brought since the last time, in order. What an ended call still had to say is here by
  // the time that poll() tells its end: take it first.
  virtual void take_progress(std::vector<CallProgress> &progress) = 0;

  virtual int in_flight() const = 0;
};

}  // namespace agent_queue
