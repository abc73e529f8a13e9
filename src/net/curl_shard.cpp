#include "net/curl_shard.hpp"

#include "net/transfer.hpp"

namespace agent_queue {

std::unique_ptr<CurlShard> CurlShard::create(EventPoll &events, int index, bool https, int capacity) {
  CurlMulti multi(curl_multi_init());
  if (!multi) return nullptr;
  CURLM *handle = multi.get();
  std::unique_ptr<CurlShard> shard(new CurlShard(events, index, https, capacity, std::move(multi)));
  bool good = true;
  const auto set = [&](CURLMoption option, auto value) {
    good = curl_multi_setopt(handle, option, value) == CURLM_OK && good;
  };
  set(CURLMOPT_SOCKETFUNCTION, &CurlShard::on_socket);
  set(CURLMOPT_SOCKETDATA, shard.get());
  set(CURLMOPT_TIMERFUNCTION, &CurlShard::on_timer);
  set(CURLMOPT_TIMERDATA, shard.get());
  set(CURLMOPT_MAXCONNECTS, long{capacity});
  set(CURLMOPT_PIPELINING, long{CURLPIPE_MULTIPLEX});
  return good ? std::move(shard) : nullptr;
}

void CurlShard::drive(curl_socket_t socket, int curl_events) {
  int running = 0;
  driven_ = true;
  if (socket == CURL_SOCKET_TIMEOUT) due_ = kNever;  // curl calls on_timer again where it wants more
  curl_multi_socket_action(multi_.get(), socket, curl_events, &running);
}

CURL *CurlShard::next_ended(CURLcode &code) {
  int left = 0;
  while (const CURLMsg *message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    code = message->data.result;
    return message->easy_handle;
  }
  return nullptr;
}

// Answering -1 would make curl drop every transfer of this handle: a socket that cannot be watched ends its own alone.
int CurlShard::on_socket(CURL *easy, curl_socket_t socket, int what, void *self, void *) noexcept {
  auto *shard = static_cast<CurlShard *>(self);
  bool watched = false;
  try {
    watched = shard->events_.want(socket, what, shard->index_);
  } catch (...) {
  }
  if (!watched && what != CURL_POLL_REMOVE && easy != nullptr)
    if (Transfer *transfer = Transfer::of(easy)) transfer->give_up(StopReason::exhausted);
  return 0;
}

int CurlShard::on_timer(CURLM *, long timeout_ms, void *self) noexcept {
  auto *shard = static_cast<CurlShard *>(self);
  if (timeout_ms < 0)
    shard->due_ = kNever;
  else if (timeout_ms == 0)
    shard->due_ = SteadyTime{};
  else
    shard->due_ = steady_now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

}  // namespace agent_queue
