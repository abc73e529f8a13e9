#include "net/call_error.hpp"

#include <cstdio>

namespace agent_queue {
namespace {

std::string seconds(Micros time) {
  const double value = static_cast<double>(time.count()) / 1e6;
  char text[32];
  std::snprintf(text, sizeof(text), value < 1 ? "%.3f s" : "%.1f s", value);
  return text;
}

bool is_connected(const Transfer &transfer) {
  return transfer.phase() >= Phase::waiting;
}

// "connected in 0.020 s, sent, no first byte"
std::string where_the_time_went(const Transfer &transfer, SteadyTime now) {
  if (!is_connected(transfer)) return "not connected";
  std::string text = "connected in " + seconds(transfer.connected() - transfer.started());
  if (transfer.phase() == Phase::waiting && !transfer.body_sent())
    return text + ", sent " + std::to_string(transfer.bytes_uploaded()) + " of " +
           std::to_string(transfer.body_size()) + " bytes";
  text += ", sent";
  if (transfer.phase() == Phase::waiting) return text + ", no first byte";
  return text + ", " + std::to_string(transfer.bytes_received()) + " bytes of the answer received, the last " +
         seconds(now - transfer.last_byte()) + " ago";
}

TransportError classify_stop(StopReason reason) {
  switch (reason) {
    case StopReason::response_too_large:
    case StopReason::headers_too_large:
      return TransportError::too_large;
    case StopReason::late_retry:
      return TransportError::broken;
    case StopReason::exhausted:
    case StopReason::none:
      break;
  }
  return TransportError::exhausted;
}

// CURLE_TOO_LARGE of curl 8.6 and later, which has a bound of its own for headers; the headers of 7.88 do not name it.
constexpr int kCurlTooLarge = 100;

TransportError classify_code(const Transfer &transfer, CURLcode code) {
  if (static_cast<int>(code) == kCurlTooLarge) return TransportError::too_large;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return TransportError::resolve;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_NO_CONNECTION_AVAILABLE:
      return TransportError::connect;
    case CURLE_OPERATION_TIMEDOUT:  // curl's own bound while connecting
      return TransportError::connect_timeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED:
      return TransportError::tls;
    case CURLE_OUT_OF_MEMORY:
      // curl also says this for one header line over its own bound of 100 kB.
      return is_connected(transfer) ? TransportError::too_large : TransportError::exhausted;
    case CURLE_FAILED_INIT:
      return TransportError::exhausted;
    case CURLE_URL_MALFORMAT:
    case CURLE_LOGIN_DENIED:
      return TransportError::bad_url;
    case CURLE_UNSUPPORTED_PROTOCOL:  // also an answer that does not begin as HTTP does
      return is_connected(transfer) ? TransportError::protocol : TransportError::bad_url;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2:
    case CURLE_HTTP3:
      return TransportError::protocol;
    default:
      return is_connected(transfer) ? TransportError::broken : TransportError::connect;
  }
}

std::string describe(const Transfer &transfer, TransportError error, CURLcode code, SteadyTime now) {
  std::string curl_text(transfer.curl_message().empty() ? curl_easy_strerror(code) : transfer.curl_message());
  switch (error) {
    case TransportError::too_large:
      return transfer.stop() == StopReason::response_too_large ? "the answer is larger than the bound"
                                                               : "the headers of the answer are larger than the bound";
    case TransportError::exhausted:
      return "out of file descriptors or memory: " + curl_text;
    case TransportError::broken:
      return "the connection ended before the answer was whole: " + where_the_time_went(transfer, now);
    case TransportError::protocol:
      return "the answer breaks the rules of HTTP: " + curl_text;
    default:
      return curl_text;
  }
}

CallEnd ended(const Transfer &transfer, TransportError error, SteadyTime now) {
  CallEnd end;
  end.id = transfer.id();
  end.error = error;
  end.time_total = now - transfer.started();
  end.request_sent = error == TransportError::none || transfer.request_may_have_left();
  return end;
}

}  // namespace

CallEnd end_of_call(Transfer &transfer, CURLcode code, SteadyTime now) {
  if (code == CURLE_OK && transfer.stop() == StopReason::none && transfer.headers_whole()) {
    CallEnd end = ended(transfer, TransportError::none, now);
    end.response = std::move(transfer.response());
    return end;
  }
  if (!is_connected(transfer) && !transfer.refused_address().empty()) {
    CallEnd end = ended(transfer, TransportError::blocked_address, now);
    end.message = transfer.origin().authority + ": " + std::string(transfer.refused_address()) + " is never called";
    return end;
  }
  TransportError error = TransportError::broken;  // closed in the middle of the headers
  if (transfer.stop() != StopReason::none)
    error = classify_stop(transfer.stop());
  else if (code != CURLE_OK)
    error = classify_code(transfer, code);
  CallEnd end = ended(transfer, error, now);
  end.message = transfer.origin().authority + ": " + describe(transfer, error, code, now);
  return end;
}

CallEnd end_by_timeout(const Transfer &transfer, SteadyTime now) {
  const Micros spent = now - transfer.started();
  TransportError error = TransportError::total_timeout;
  if (spent < transfer.timeouts().total) {
    error = transfer.phase() == Phase::connecting ? TransportError::connect_timeout
            : transfer.phase() == Phase::waiting  ? TransportError::first_byte_timeout
                                                  : TransportError::idle_timeout;
  }
  const bool partly = transfer.phase() == Phase::receiving;
  CallEnd end = ended(transfer, error, now);
  end.message = transfer.origin().authority + ": no " + (partly ? "whole " : "") + "answer after " + seconds(spent) +
                ": " + where_the_time_went(transfer, now);
  return end;
}

CallEnd end_by_cancel(const Transfer &transfer, SteadyTime now) {
  CallEnd end = ended(transfer, TransportError::cancelled, now);
  end.message = transfer.origin().authority + ": broken off after " + seconds(end.time_total) + ": " +
                where_the_time_went(transfer, now);
  return end;
}

CallEnd end_unsent(CallId id, TransportError error, std::string message) {
  CallEnd end;
  end.id = id;
  end.error = error;
  end.message = std::move(message);
  return end;
}

}  // namespace agent_queue
