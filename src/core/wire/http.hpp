// An HTTP exchange as plain data: what wire formats make and read, what a Transport carries.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"

namespace agent_queue {

struct HttpHeader {
  std::string name;  // responses: lower case
  std::string value;
};

struct HttpTimeouts {
  Micros connect{std::chrono::seconds(10)};      // DNS, TCP and TLS
  Micros first_byte{std::chrono::seconds(120)};  // from the request's last byte to the first of the answer
  Micros idle{std::chrono::seconds(60)};         // between two bytes of the answer
  Micros total{std::chrono::seconds(300)};       // of the whole call
};

// Always a POST.
struct HttpRequest {
  std::string url;
  std::vector<HttpHeader> headers;  // may hold secrets: never logged
  std::string body;
  HttpTimeouts timeouts;
  bool stream = false;  // the body of a good answer (2xx) is handed over as it comes, not kept
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;  // bounded in number and size by the transport
  std::string body;                 // bounded; raw bytes of whatever kind. Empty where it was handed over as it came

  // The value of the first header of that name (given in lower case); empty where there is none.
  std::string_view header(std::string_view name) const {
    for (const HttpHeader &h : headers)
      if (h.name == name) return h.value;
    return {};
  }
};

}  // namespace agent_queue
