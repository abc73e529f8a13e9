// One call at a time on one easy handle, used again for the next call. Holds the request while curl needs it, collects
// the answer within bounds, and knows how far the call has come. Its callbacks never throw.
// Tested in test/unit/transport_test.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/wire/http.hpp"
#include "net/address_guard.hpp"
#include "net/curl_handles.hpp"
#include "net/deadlines.hpp"
#include "net/event_poll.hpp"
#include "net/origins.hpp"
#include "net/signal_block.hpp"
#include "ports/transport.hpp"

namespace agent_queue {

class CurlShard;
class Transfer;

struct TransferLimits {
  std::size_t max_response_bytes = 16u << 20;
  std::size_t max_header_bytes = 64u << 10;  // of all headers together
  int max_headers = 256;
};

// What the callbacks of all transfers work on.
struct TransferContext {
  explicit TransferContext(EventPoll &event_poll) : events(event_poll) {}
  EventPoll &events;
  CURLSH *share = nullptr;
  std::string ca_file;
  Deadlines deadlines;
  SignalBlock signals;
  SteadyTime now{};  // read once a batch of events
  TransferLimits limits;
  AddressPolicy addresses;
  std::vector<Origin *> resolved;       // their parked transfers may go on
  std::vector<Origin *> http1_learned;  // their transfers need not wait for a connection to share
  std::vector<Transfer *> progressed;   // have something for take_progress()
};

enum class Phase : std::uint8_t {
  idle,
  connecting,  // name, TCP, TLS
  waiting,     // the request is being sent or was sent, no byte of the answer
  receiving,
};

// What stopped the call, where curl's own code does not say it.
enum class StopReason : std::uint8_t { none, response_too_large, headers_too_large, exhausted, late_retry };

class Transfer {
 public:
  // nullptr: out of memory.
  static std::unique_ptr<Transfer> create(TransferContext &context, CurlShard &shard, std::size_t index);
  static Transfer *of(CURL *easy);

  // False: out of memory. The caller then adds the handle to the shard.
  bool begin(CallId id, HttpRequest request, Origin &origin, SteadyTime now);

  // Frees what the call held; the handle must not be in its shard any more. Idempotent.
  void reset();

  // Whether a resolver thread would have been one too many: to be started again when the origin is resolved.
  bool take_parked() { return std::exchange(parked_, false); }
  void set_pipewait(bool wait);
  // What came of a streamed answer; only for those in TransferContext::progressed, which are taken out of it.
  CallProgress take_progress();
  void stop_for(StopReason reason) { stop_ = reason; }
  // Ends it at the next sweep.
  void give_up(StopReason reason) noexcept;
  // Nobody waits for this transfer's name any more.
  void leave_resolver();

  CURL *easy() const { return easy_.get(); }
  CurlShard &shard() const { return shard_; }
  std::size_t index() const { return index_; }
  CallId id() const { return id_; }
  Origin &origin() const { return *origin_; }
  Phase phase() const { return phase_; }
  StopReason stop() const { return stop_; }
  const HttpTimeouts &timeouts() const { return timeouts_; }
  SteadyTime started() const { return started_; }
  SteadyTime connected() const { return connected_; }
  SteadyTime last_byte() const { return last_byte_; }
  std::size_t body_size() const { return body_.size(); }
  std::size_t bytes_received() const { return received_; }  // of the answer's body
  curl_off_t bytes_uploaded() const;
  bool body_sent() const;
  // The blank line after the headers has come. curl takes a connection that is closed before it for a whole answer.
  bool headers_whole() const { return headers_whole_; }
  bool request_may_have_left() const;
  std::string_view refused_address() const { return opened_socket_ ? std::string_view() : refused_address_; }
  std::string_view curl_message() const { return curl_message_; }
  HttpResponse &response() { return response_; }
  const HttpResponse &response() const { return response_; }

 private:
  Transfer(TransferContext &context, CurlShard &shard, std::size_t index, CurlEasy easy)
      : context_(context), shard_(shard), index_(index), easy_(std::move(easy)) {}

  bool set_common_options();
  void renew_handle();
  bool make_handle();
  void build_header_list(const std::vector<HttpHeader> &headers);
  void wait_until(SteadyTime due);
  void take_status_line(std::string_view line);
  bool take_header(std::string_view line);
  bool take_body(std::string_view bytes);
  bool about_to_send();
  int open_socket(const curl_sockaddr &address);

  static std::size_t on_header(char *data, std::size_t size, std::size_t count, void *self) noexcept;
  static std::size_t on_body(char *data, std::size_t size, std::size_t count, void *self) noexcept;
  static int on_connected(void *self, char *, char *, int, int) noexcept;
  static int on_progress(void *self, curl_off_t, curl_off_t, curl_off_t upload_total, curl_off_t uploaded) noexcept;
  static int on_resolver_start(void *, void *, void *self) noexcept;
  static curl_socket_t on_open_socket(void *self, curlsocktype purpose, curl_sockaddr *address) noexcept;
  static int on_close_socket(void *events, curl_socket_t socket) noexcept;

  TransferContext &context_;
  CurlShard &shard_;
  const std::size_t index_;
  CurlEasy easy_;

  CallId id_{};
  Origin *origin_ = nullptr;
  HttpTimeouts timeouts_;
  std::string url_;          // as set in the handle: kept from call to call
  std::string header_text_;  // "name: value" lines, each with a NUL
  std::vector<curl_slist> header_list_;
  std::string body_;
  HttpResponse response_;
  std::size_t header_bytes_ = 0;
  std::size_t received_ = 0;
  SteadyTime sent_at_{};
  SteadyTime started_{};
  SteadyTime connected_{};
  SteadyTime last_byte_{};
  curl_off_t uploaded_ = 0;
  Phase phase_ = Phase::idle;
  StopReason stop_ = StopReason::none;
  bool watches_upload_ = false;
  bool pipewait_ = false;
  bool parked_ = false;
  bool opened_socket_ = false;
  int times_sent_ = 0;
  bool options_set_ = false;
  bool headers_whole_ = false;
  bool is_streamed_ = false;
  std::string_view refused_address_;
  char curl_message_[CURL_ERROR_SIZE] = {};
};

}  // namespace agent_queue
