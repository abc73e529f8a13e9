#include "net/transfer.hpp"

#include <cerrno>
#include <charconv>

namespace agent_queue {
namespace {

constexpr long kReceiveBufferBytes = 4 << 10;
constexpr long kUploadBufferBytes = 16 << 10;
constexpr std::size_t kUploadWatchedBytes = 60 << 10;  // smaller bodies leave together with their headers
constexpr long kConnectionIdleSeconds = 50;            // load balancers close idle connections from 60 s on
constexpr long kDnsCacheSeconds = 60;
constexpr std::size_t kStreamOverhead = 16;  // a stream wraps each token in some hundred bytes
constexpr Micros kRetryWindow = std::chrono::seconds(1);

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

HttpTimeouts bounded(HttpTimeouts timeouts) {
  for (Micros *time : {&timeouts.connect, &timeouts.first_byte, &timeouts.idle, &timeouts.total})
    *time = std::clamp<Micros>(*time, std::chrono::milliseconds(1), std::chrono::days(31));
  return timeouts;
}

std::string_view trim_line(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::unique_ptr<Transfer> Transfer::create(TransferContext &context, CurlShard &shard, std::size_t index) {
  CurlEasy easy(curl_easy_init());
  if (!easy) return nullptr;
  std::unique_ptr<Transfer> transfer(new Transfer(context, shard, index, std::move(easy)));
  return transfer->set_common_options() ? std::move(transfer) : nullptr;
}

Transfer *Transfer::of(CURL *easy) {
  char *self = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
  return reinterpret_cast<Transfer *>(self);
}

bool Transfer::set_common_options() {
  CURL *easy = easy_.get();
  bool good = true;
  const auto set = [&](CURLoption option, auto value) {
    good = curl_easy_setopt(easy, option, value) == CURLE_OK && good;
  };
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_SHARE, context_.share);
  set(CURLOPT_ERRORBUFFER, curl_message_);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a cancelled call must not wait for its resolver thread
  set(CURLOPT_POST, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_HTTP_CONTENT_DECODING, 0L);
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_MAXAGE_CONN, kConnectionIdleSeconds);
  set(CURLOPT_DNS_CACHE_TIMEOUT, kDnsCacheSeconds);
  set(CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  set(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferBytes);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  // curl keeps parsed certificates for the next connection only where no directory of them is configured.
  set(CURLOPT_CAPATH, static_cast<char *>(nullptr));
  if (!context_.ca_file.empty()) set(CURLOPT_CAINFO, context_.ca_file.c_str());
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_PREREQFUNCTION, &Transfer::on_connected);
  set(CURLOPT_PREREQDATA, this);
  set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  set(CURLOPT_XFERINFODATA, this);
  set(CURLOPT_RESOLVER_START_FUNCTION, &Transfer::on_resolver_start);
  set(CURLOPT_RESOLVER_START_DATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open_socket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_CLOSESOCKETFUNCTION, &Transfer::on_close_socket);
  set(CURLOPT_CLOSESOCKETDATA, &context_.events);  // a connection outlives the transfer that opened it
  options_set_ = good;
  return good;
}

// curl reads the list and never writes or frees it, so its nodes can stand in two blocks of ours.
void Transfer::build_header_list(const std::vector<HttpHeader> &headers) {
  constexpr std::string_view kNoExpect = "Expect:";
  std::size_t bytes = kNoExpect.size() + 1;
  for (const HttpHeader &header : headers) bytes += header.name.size() + header.value.size() + 3;
  header_text_.clear();
  header_text_.reserve(bytes);  // the nodes point into it
  header_list_.clear();
  header_list_.reserve(headers.size() + 1);
  const auto end_line = [&](std::size_t from) {
    header_text_.push_back('\0');
    header_list_.push_back({header_text_.data() + from, nullptr});
  };
  header_text_ += kNoExpect;
  end_line(0);
  for (const HttpHeader &header : headers) {
    const std::size_t from = header_text_.size();
    header_text_ += header.name;
    // "Name:" would tell curl to leave the header out, "Name;" is its way to send an empty one.
    header_text_ += header.value.empty() ? ";" : ": ";
    header_text_ += header.value;
    end_line(from);
  }
  for (std::size_t i = 0; i + 1 < header_list_.size(); ++i) header_list_[i].next = &header_list_[i + 1];
}

bool Transfer::begin(CallId id, HttpRequest request, Origin &origin, SteadyTime now) {
  id_ = id;
  origin_ = &origin;
  timeouts_ = bounded(request.timeouts);
  body_ = std::move(request.body);
  is_streamed_ = request.stream;
  build_header_list(request.headers);
  started_ = last_byte_ = sent_at_ = now;
  phase_ = Phase::connecting;
  if (!options_set_ && !make_handle()) return false;
  CURL *easy = easy_.get();
  bool good = true;
  const auto set = [&](CURLoption option, auto value) {
    good = curl_easy_setopt(easy, option, value) == CURLE_OK && good;
  };
  if (url_ != request.url) {
    set(CURLOPT_URL, request.url.c_str());
    // Answers over TLS may come by HTTP/2: then wait for a connection to share instead of opening one a call.
    set(CURLOPT_HTTP_VERSION, origin.https ? long{CURL_HTTP_VERSION_2TLS} : long{CURL_HTTP_VERSION_1_1});
    url_ = std::move(request.url);
  }
  set_pipewait(origin.https && !origin.http1);
  set(CURLOPT_HTTPHEADER, header_list_.data());
  set(CURLOPT_POSTFIELDS, body_.data());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  if (const bool watch = body_.size() > kUploadWatchedBytes; watch != watches_upload_) {
    set(CURLOPT_NOPROGRESS, watch ? 0L : 1L);
    watches_upload_ = watch;
  }
  wait_until(now + timeouts_.connect);
  if (!good) url_.clear();
  return good;
}

void Transfer::set_pipewait(bool wait) {
  if (wait == pipewait_) return;
  curl_easy_setopt(easy_.get(), CURLOPT_PIPEWAIT, wait ? 1L : 0L);
  pipewait_ = wait;
}

// curl 7.88 counts the repetitions on closed connections over the whole life of an easy handle, and refuses the sixth.
// curl_easy_reset() would forget them, but after a name that could not be resolved the handle still has its buffer and
// refuses CURLOPT_BUFFERSIZE for ever. Connections, names and TLS sessions live elsewhere and stay.
void Transfer::renew_handle() {
  url_.clear();
  pipewait_ = watches_upload_ = false;
  options_set_ = false;
  easy_.reset();
  make_handle();  // begin() tries again where memory was short
}

bool Transfer::make_handle() {
  if (!easy_) easy_.reset(curl_easy_init());
  return easy_ && set_common_options();
}

void Transfer::reset() {
  if (phase_ == Phase::idle) return;
  if (times_sent_ != 1 || !headers_whole_) renew_handle();
  context_.deadlines.clear(index_);
  std::string().swap(header_text_);
  std::string().swap(body_);
  header_list_.clear();
  response_ = {};
  header_bytes_ = received_ = 0;
  uploaded_ = 0;
  phase_ = Phase::idle;
  stop_ = StopReason::none;
  parked_ = opened_socket_ = headers_whole_ = false;
  times_sent_ = 0;
  refused_address_ = {};
  curl_message_[0] = '\0';
}

void Transfer::wait_until(SteadyTime due) {
  context_.deadlines.set(index_, std::min(due, started_ + timeouts_.total));
}

void Transfer::give_up(StopReason reason) noexcept {
  stop_ = reason;
  context_.deadlines.set(index_, SteadyTime{});  // it has a place since begin(): nothing is allocated
}

void Transfer::leave_resolver() {
  if (origin_->resolving != this) return;
  origin_->resolving = nullptr;
  context_.resolved.push_back(origin_);
}

curl_off_t Transfer::bytes_uploaded() const {
  curl_off_t bytes = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_UPLOAD_T, &bytes);
  return bytes;
}

bool Transfer::body_sent() const {
  return bytes_uploaded() >= static_cast<curl_off_t>(body_.size());
}

// curl counts a request's bytes when the socket has taken them. HTTP/2 and TLS buffer, so what was handed to them
// counts.
bool Transfer::request_may_have_left() const {
  if (times_sent_ == 0) return false;
  long bytes = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &bytes);
  return bytes > 0 || bytes_uploaded() > 0 || phase_ == Phase::receiving || stop_ == StopReason::late_retry;
}

void Transfer::take_status_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  int status = 0;
  if (space != std::string_view::npos) std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
  response_.headers.clear();  // of an interim answer
  response_.status = status;
  if (!origin_->https || origin_->http1 || !line.starts_with("HTTP/1")) return;
  origin_->http1 = true;
  context_.http1_learned.push_back(origin_);
}

bool Transfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > context_.limits.max_header_bytes ||
      response_.headers.size() >= static_cast<std::size_t>(context_.limits.max_headers)) {
    stop_ = StopReason::headers_too_large;
    return false;
  }
  last_byte_ = context_.now;
  if (line.starts_with("HTTP/")) {
    take_status_line(line);
    const bool interim = response_.status < 200;
    phase_ = interim ? Phase::waiting : Phase::receiving;
    wait_until(context_.now + (interim ? timeouts_.first_byte : timeouts_.idle));
    return true;
  }
  const bool folded = line.front() == ' ' || line.front() == '\t';
  const std::string_view text = trim_line(line);
  if (text.empty()) {
    headers_whole_ = phase_ == Phase::receiving;
    return true;
  }
  if (folded && !response_.headers.empty()) {
    response_.headers.back().value.append(" ").append(text);
    return true;
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return true;
  HttpHeader header{std::string(trim_line(text.substr(0, colon))), std::string(trim_line(text.substr(colon + 1)))};
  for (char &c : header.name) c = lower(c);
  if (header.name == "content-length") {
    std::size_t announced = 0;
    std::from_chars(header.value.data(), header.value.data() + header.value.size(), announced);
    if (announced > context_.limits.max_response_bytes) {
      stop_ = StopReason::response_too_large;
      return false;
    }
  }
  response_.headers.push_back(std::move(header));
  return true;
}

bool Transfer::take_body(std::string_view bytes) {
  const bool is_good = response_.status >= 200 && response_.status < 300;
  const std::size_t most = context_.limits.max_response_bytes * (is_streamed_ && is_good ? kStreamOverhead : 1);
  if (bytes.size() > most - std::min(most, received_)) {
    stop_ = StopReason::response_too_large;
    return false;
  }
  received_ += bytes.size();
  if (is_streamed_ && is_good && response_.body.empty()) context_.progressed.push_back(this);
  response_.body.append(bytes);
  last_byte_ = context_.now;
  wait_until(context_.now + timeouts_.idle);
  return true;
}

CallProgress Transfer::take_progress() {
  return {.id = id_, .bytes = std::exchange(response_.body, {}), .at = last_byte_, .sent_at = sent_at_};
}

// Also called when curl repeats the request because a kept connection had been closed. That race shows at once; after
// a while it is likelier that the server has read the request and died, and a repetition might be paid twice.
bool Transfer::about_to_send() {
  if (times_sent_ > 0 && context_.now - connected_ > kRetryWindow) {
    stop_ = StopReason::late_retry;
    return false;
  }
  if (times_sent_++ == 0) connected_ = context_.now;
  phase_ = Phase::waiting;
  sent_at_ = context_.now;
  wait_until(context_.now + timeouts_.first_byte);
  return true;
}

int Transfer::open_socket(const curl_sockaddr &address) {
  leave_resolver();
  const std::string_view refusal = address_refusal(&address.addr, address.addrlen, origin_->https, context_.addresses);
  if (!refusal.empty()) {
    refused_address_ = refusal;
    return -1;
  }
  const int fd = socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  if (fd < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) stop_ = StopReason::exhausted;
    return -1;
  }
  UniqueFd owner(fd);
  context_.events.opened(fd);
  opened_socket_ = true;
  stop_ = StopReason::none;
  owner.release();
  return fd;
}

std::size_t Transfer::on_header(char *data, std::size_t size, std::size_t count, void *self) noexcept try {
  const std::size_t bytes = size * count;
  return bytes == 0 || static_cast<Transfer *>(self)->take_header({data, bytes}) ? bytes : 0;
} catch (...) {
  static_cast<Transfer *>(self)->stop_for(StopReason::exhausted);
  return 0;
}

std::size_t Transfer::on_body(char *data, std::size_t size, std::size_t count, void *self) noexcept try {
  const std::size_t bytes = size * count;
  return static_cast<Transfer *>(self)->take_body({data, bytes}) ? bytes : 0;
} catch (...) {
  static_cast<Transfer *>(self)->stop_for(StopReason::exhausted);
  return 0;
}

int Transfer::on_connected(void *self, char *, char *, int, int) noexcept try {
  return static_cast<Transfer *>(self)->about_to_send() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
} catch (...) {
  static_cast<Transfer *>(self)->stop_for(StopReason::exhausted);
  return CURL_PREREQFUNC_ABORT;
}

// Large bodies only: the patience for the first byte of the answer begins anew with each piece of the request.
int Transfer::on_progress(void *self, curl_off_t, curl_off_t, curl_off_t, curl_off_t uploaded) noexcept try {
  auto *transfer = static_cast<Transfer *>(self);
  if (uploaded != transfer->uploaded_ && transfer->phase_ == Phase::waiting) {
    transfer->uploaded_ = uploaded;
    transfer->last_byte_ = transfer->sent_at_ = transfer->context_.now;
    transfer->wait_until(transfer->context_.now + transfer->timeouts_.first_byte);
  }
  return 0;
} catch (...) {
  static_cast<Transfer *>(self)->stop_for(StopReason::exhausted);
  return 1;
}

int Transfer::on_resolver_start(void *, void *, void *self) noexcept {
  auto *transfer = static_cast<Transfer *>(self);
  Origin &origin = *transfer->origin_;
  if (origin.resolving != nullptr && origin.resolving != transfer) {
    transfer->parked_ = true;
    return 1;
  }
  origin.resolving = transfer;
  transfer->context_.signals.block();
  return 0;
}

curl_socket_t Transfer::on_open_socket(void *self, curlsocktype, curl_sockaddr *address) noexcept try {
  return static_cast<Transfer *>(self)->open_socket(*address);
} catch (...) {
  static_cast<Transfer *>(self)->stop_for(StopReason::exhausted);
  return CURL_SOCKET_BAD;
}

int Transfer::on_close_socket(void *events, curl_socket_t socket) noexcept {
  static_cast<EventPoll *>(events)->closed(socket);
  return close(socket);
}

}  // namespace agent_queue
