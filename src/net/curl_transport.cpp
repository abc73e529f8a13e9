#include "net/curl_transport.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>

#include "net/call_error.hpp"

namespace agent_queue {
namespace {

constexpr int kEventsPerPoll = 1024;      // then the caller's loop gets its turn
constexpr int kPollsWithoutSweepMax = 8;  // each of them served up to kEventsPerPoll events
constexpr int kRoundsPerPoll = 8;
constexpr Micros kTimersPerPoll = std::chrono::milliseconds(20);
constexpr int kPlainShardCalls = 64;
// As many as HTTP/2 servers let share one connection: when it is full, curl opens one more for each further call.
constexpr int kTlsShardCalls = 100;

std::optional<Error> check_libcurl() {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  const std::string_view tls = info->ssl_version != nullptr ? info->ssl_version : "none";
  if (tls.find("OpenSSL") == std::string_view::npos)
    return Error{ErrorKind::unavailable, "libcurl uses " + std::string(tls) + " for TLS, but OpenSSL is needed",
                 "Install the OpenSSL flavour of libcurl (Debian: libcurl4)."};
  if (!(info->features & CURL_VERSION_ASYNCHDNS))
    return Error{ErrorKind::unavailable, "libcurl cannot resolve names without blocking",
                 "Install a libcurl that was built with the threaded resolver or c-ares."};
  return std::nullopt;
}

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// What would end the header early and begin another one.
bool is_sendable(const HttpHeader &header) {
  return !header.name.empty() && std::all_of(header.name.begin(), header.name.end(), is_token_char) &&
         header.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
}

}  // namespace

Result<std::unique_ptr<CurlTransport>> CurlTransport::create(CurlTransportOptions options) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return Error{ErrorKind::unavailable, "could not initialise libcurl", ""};
  if (std::optional<Error> error = check_libcurl()) return *error;
  Result<std::unique_ptr<EventPoll>> events = EventPoll::create();
  if (!events) return events.error();
  CurlShare share(curl_share_init());
  // One thread uses the share (resolver threads do not touch it), so it needs no locks.
  if (!share || curl_share_setopt(share.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) != CURLSHE_OK ||
      curl_share_setopt(share.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK)
    return Error{ErrorKind::unavailable, "could not make a libcurl share handle", ""};
  return std::unique_ptr<CurlTransport>(new CurlTransport(std::move(options), std::move(*events), std::move(share)));
}

CurlTransport::CurlTransport(CurlTransportOptions options, std::unique_ptr<EventPoll> events, CurlShare share)
    : options_(std::move(options)), events_(std::move(events)), context_(*events_), share_(std::move(share)) {
  context_.limits = options_.limits;
  context_.addresses = options_.addresses;
  context_.share = share_.get();
  context_.ca_file = options_.ca_file;
  origins_.set_rules(std::move(options_.hosts));
}

CurlTransport::~CurlTransport() {
  for (const std::unique_ptr<Transfer> &transfer : transfers_) transfer->shard().remove(transfer->easy());
  transfers_.clear();  // before the shards: curl closes kept connections with the multi handle
  shards_.clear();
}

void CurlTransport::refuse(CallId id, TransportError error, std::string message) {
  untold_.push_back(end_unsent(id, error, std::move(message)));
  events_->wake_at(SteadyTime{});
}

void CurlTransport::submit(CallId id, HttpRequest request) {
  for (const HttpHeader &header : request.headers)
    if (!is_sendable(header)) return refuse(id, TransportError::bad_url, "a request header holds forbidden characters");
  if (request.url.find('\0') != std::string::npos) return refuse(id, TransportError::bad_url, "invalid URL");
  const Result<Origin *> origin = origins_.find(request.url);
  if (!origin)
    return refuse(
        id, origin.error().kind == ErrorKind::not_allowed ? TransportError::blocked_address : TransportError::bad_url,
        origin.error().message);
  if (static_cast<int>(calls_.size()) >= options_.max_connections)
    return refuse(id, TransportError::exhausted, "too many calls in flight");
  Transfer *transfer = take_transfer(**origin);
  if (transfer == nullptr) return refuse(id, TransportError::exhausted, "out of memory or file descriptors");
  if (!transfer->begin(id, std::move(request), **origin, steady_now())) {
    retire(*transfer);
    return refuse(id, TransportError::exhausted, "out of memory");
  }
  calls_[id.value] = transfer;
  start(*transfer);
}

void CurlTransport::start(Transfer &transfer) {
  if (!transfer.shard().add(transfer.easy())) transfer.give_up(StopReason::exhausted);
  events_->wake_at(SteadyTime{});
}

// Prefers a transfer whose last call went to the same place: its connection is waiting in its shard.
Transfer *CurlTransport::take_transfer(Origin &origin) {
  if (!origin.idle.empty()) {
    Transfer *transfer = origin.idle.back();
    origin.idle.pop_back();
    return transfer;
  }
  if (Transfer *transfer = origins_.take_idle(origin.https)) return transfer;
  return make_transfer(origin.https);
}

Transfer *CurlTransport::make_transfer(bool https) {
  CurlShard *shard = roomy_shard(https);
  if (shard == nullptr) return nullptr;
  std::unique_ptr<Transfer> transfer = Transfer::create(context_, *shard, transfers_.size());
  if (!transfer) return nullptr;
  shard->count_transfer();
  transfers_.push_back(std::move(transfer));
  return transfers_.back().get();
}

CurlShard *CurlTransport::roomy_shard(bool https) {
  for (auto shard = shards_.rbegin(); shard != shards_.rend(); ++shard)
    if ((*shard)->https() == https && !(*shard)->full()) return shard->get();
  const int capacity = https ? kTlsShardCalls : kPlainShardCalls;
  std::unique_ptr<CurlShard> shard = CurlShard::create(*events_, static_cast<int>(shards_.size()), https, capacity);
  if (!shard) return nullptr;
  shards_.push_back(std::move(shard));
  return shards_.back().get();
}

void CurlTransport::cancel(CallId id) {
  const auto call = calls_.find(id.value);
  if (call == calls_.end()) return;
  Transfer *transfer = call->second;
  untold_.push_back(end_by_cancel(*transfer, steady_now()));
  retire(*transfer);
  events_->wake_at(SteadyTime{});  // others may have waited for its connection or its name
}

void CurlTransport::forget(CallId id) {
  std::erase_if(untold_, [&](const CallEnd &end) { return end.id == id; });
  std::erase_if(progress_, [&](const CallProgress &progress) { return progress.id == id; });
  const auto call = calls_.find(id.value);
  if (call == calls_.end()) return;
  retire(*call->second);
  events_->wake_at(SteadyTime{});
}

// Takes the transfer from curl and from every list, and makes it ready for another call.
void CurlTransport::retire(Transfer &transfer) {
  Origin &origin = transfer.origin();
  transfer.shard().remove(transfer.easy());
  transfer.leave_resolver();
  std::erase(origin.parked, &transfer);
  std::erase(context_.progressed, &transfer);
  calls_.erase(transfer.id().value);
  transfer.reset();
  origin.idle.push_back(&transfer);
}

void CurlTransport::poll(std::vector<CallEnd> &ended) {
  context_.now = steady_now();
  events_->woken(context_.now);
  std::move(untold_.begin(), untold_.end(), std::back_inserter(ended));
  untold_.clear();
  bool drained = drive_timers();
  drained = drive_sockets(kEventsPerPoll) && drained;
  collect(ended);
  // What ended or was resolved lets others begin; they get as far as their first system calls now.
  for (int round = 0; drained && round < kRoundsPerPoll; ++round) {
    release_parked();
    context_.now = steady_now();
    if (next_curl_due() > context_.now) break;
    drained = drive_timers();
    collect(ended);
  }
  if (drained || ++polls_without_sweep_ > kPollsWithoutSweepMax) sweep(ended);
  context_.signals.restore();
  events_->wake_at(next_wake());
}

// True: nothing more is ready.
bool CurlTransport::drive_sockets(int most) {
  while (most > 0) {
    const int asked = std::min(most, EventPoll::kBatch);
    const std::span<const EventPoll::Ready> ready = events_->ready(asked);
    if (ready.empty()) return true;
    context_.now = steady_now();
    for (const EventPoll::Ready &event : ready)
      if (event.fd >= 0) shards_[static_cast<std::size_t>(event.owner)]->drive(event.fd, event.curl_events);
    if (static_cast<int>(ready.size()) < asked) return true;
    most -= asked;
  }
  return false;
}

// Begins after the shard where the last call stopped. False: time is up, other shards are due as well. The first TLS
// connection of a shard parses the CA file, which takes some 20 ms.
bool CurlTransport::drive_timers() {
  const SteadyTime time_up = context_.now + kTimersPerPoll;
  for (std::size_t count = shards_.size(); count > 0; --count) {
    CurlShard &shard = *shards_[next_timer_shard_++ % shards_.size()];
    if (shard.due() > context_.now) continue;
    shard.drive_timer();
    if (count > 1 && steady_now() > time_up) return false;
  }
  return true;
}

SteadyTime CurlTransport::next_curl_due() const {
  SteadyTime due = kNever;
  for (const std::unique_ptr<CurlShard> &shard : shards_) due = std::min(due, shard->due());
  return due;
}

SteadyTime CurlTransport::next_wake() const {
  if (!untold_.empty() || !context_.resolved.empty()) return SteadyTime{};
  return std::min(next_curl_due(), context_.deadlines.next());
}

// Before anything ends: what ended has nothing left to say.
void CurlTransport::gather_progress() {
  for (Transfer *transfer : context_.progressed) progress_.push_back(transfer->take_progress());
  context_.progressed.clear();
}

void CurlTransport::take_progress(std::vector<CallProgress> &progress) {
  std::move(progress_.begin(), progress_.end(), std::back_inserter(progress));
  progress_.clear();
}

void CurlTransport::collect(std::vector<CallEnd> &ended) {
  gather_progress();
  for (const std::unique_ptr<CurlShard> &shard : shards_)
    if (shard->take_driven()) collect_from(*shard, ended);
  for (const Origin *origin : context_.http1_learned)
    for (const auto &[id, transfer] : calls_)
      if (&transfer->origin() == origin) transfer->set_pipewait(false);
  context_.http1_learned.clear();
}

void CurlTransport::collect_from(CurlShard &shard, std::vector<CallEnd> &ended) {
  CURLcode code = CURLE_OK;
  while (CURL *easy = shard.next_ended(code)) {
    Transfer *transfer = Transfer::of(easy);
    if (transfer->take_parked()) {
      shard.remove(easy);
      transfer->origin().parked.push_back(transfer);
      if (transfer->origin().resolving == nullptr) context_.resolved.push_back(&transfer->origin());
      continue;
    }
    ended.push_back(end_of_call(*transfer, code, context_.now));
    if (ended.back().error == TransportError::resolve) fail_parked(transfer->origin(), ended);
    retire(*transfer);
  }
}

// A name that gave no address gives none to those who waited for it either; each would wait as long again.
void CurlTransport::fail_parked(Origin &origin, std::vector<CallEnd> &ended) {
  const std::string message = ended.back().message;
  while (!origin.parked.empty()) {
    Transfer &transfer = *origin.parked.back();
    ended.push_back(end_unsent(transfer.id(), TransportError::resolve, message));
    ended.back().time_total = context_.now - transfer.started();
    retire(transfer);
  }
}

void CurlTransport::release_parked() {
  std::vector<Origin *> resolved;
  resolved.swap(context_.resolved);
  for (Origin *origin : resolved) {
    std::vector<Transfer *> parked;
    parked.swap(origin->parked);
    for (Transfer *transfer : parked) start(*transfer);
  }
}

void CurlTransport::sweep(std::vector<CallEnd> &ended) {
  polls_without_sweep_ = 0;
  Deadlines &deadlines = context_.deadlines;
  if (deadlines.next() > context_.now || deadlines.postpone_if_late(context_.now)) return;
  expired_.clear();
  deadlines.sweep(context_.now, expired_);
  for (std::size_t index : expired_) {
    Transfer &transfer = *transfers_[index];
    ended.push_back(transfer.stop() == StopReason::none ? end_by_timeout(transfer, context_.now)
                                                        : end_of_call(transfer, CURLE_OUT_OF_MEMORY, context_.now));
    retire(transfer);
  }
}

}  // namespace agent_queue
