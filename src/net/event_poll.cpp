#include "net/event_poll.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace agent_queue {
namespace {

constexpr int kTimerMark = -1;

std::uint32_t epoll_events(int curl_what) {
  std::uint32_t events = 0;
  if (curl_what & CURL_POLL_IN) events |= EPOLLIN;
  if (curl_what & CURL_POLL_OUT) events |= EPOLLOUT;
  return curl_what == CURL_POLL_REMOVE ? 0 : events;
}

// A broken connection is told as whatever curl waits for, so that it looks and finds the error by itself.
int curl_events(std::uint32_t events, std::uint32_t wanted) {
  const bool broken = events & (EPOLLERR | EPOLLHUP);
  int result = 0;
  if ((events & EPOLLIN) || (broken && (wanted & EPOLLIN))) result |= CURL_CSELECT_IN;
  if ((events & EPOLLOUT) || (broken && (wanted & EPOLLOUT))) result |= CURL_CSELECT_OUT;
  return result;
}

Error unavailable(const char *what) {
  return {ErrorKind::unavailable, std::string("could not ") + what + ": " + std::strerror(errno), ""};
}

}  // namespace

Result<std::unique_ptr<EventPoll>> EventPoll::create() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return unavailable("create an epoll descriptor");
  UniqueFd timer(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer) return unavailable("create a timer descriptor");
  // Edge-triggered: a timer that has fired stays silent until it is armed again, without a read().
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.fd = kTimerMark;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, timer.get(), &event) != 0) return unavailable("watch a timer descriptor");
  std::unique_ptr<EventPoll> poll(new EventPoll(std::move(epoll), std::move(timer)));
  poll->ready_.reserve(kBatch);
  return poll;
}

EventPoll::Watch &EventPoll::watch(int socket) {
  const auto index = static_cast<std::size_t>(socket);
  if (index >= watches_.size()) watches_.resize(std::max(index + 1, watches_.size() * 2));
  return watches_[index];
}

void EventPoll::opened(int socket) {
  watch(socket) = Watch{};
  watch(socket).ours = true;
}

// close() takes it from the epoll set. It has an entry since opened(): nothing is allocated here.
void EventPoll::closed(int socket) {
  if (static_cast<std::size_t>(socket) < watches_.size()) watches_[static_cast<std::size_t>(socket)] = Watch{};
}

bool EventPoll::set_registered(int socket, Watch &entry, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = socket;
  int op = EPOLL_CTL_MOD;
  if (events == 0) op = EPOLL_CTL_DEL;
  if (entry.registered == 0) op = EPOLL_CTL_ADD;
  int result = epoll_ctl(epoll_.get(), op, socket, &event);
  // A descriptor that curl opened and closed behind our back has another state in the kernel than here.
  if (result != 0 && op == EPOLL_CTL_ADD && errno == EEXIST)
    result = epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket, &event);
  if (result != 0 && op == EPOLL_CTL_MOD && errno == ENOENT)
    result = epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event);
  if (result != 0 && op != EPOLL_CTL_DEL) return false;
  entry.registered = events;
  return true;
}

bool EventPoll::want(int socket, int curl_what, int owner) {
  Watch &entry = watch(socket);
  entry.wanted = epoll_events(curl_what);
  entry.owner = owner;
  if (entry.wanted == entry.registered) return true;
  if (entry.wanted == 0 && entry.ours) return true;
  return set_registered(socket, entry, entry.wanted);
}

std::span<const EventPoll::Ready> EventPoll::ready(int most) {
  epoll_event events[kBatch];
  const int count = epoll_wait(epoll_.get(), events, std::min(most, kBatch), 0);
  ready_.clear();
  for (int i = 0; i < count; ++i) {
    const int socket = events[i].data.fd;
    if (socket == kTimerMark) {
      ready_.push_back({kTimerMark, 0, 0});
      continue;
    }
    Watch &entry = watch(socket);
    if (entry.wanted == 0) {
      set_registered(socket, entry, 0);
      ready_.push_back({kTimerMark, 0, 0});
      continue;
    }
    ready_.push_back({socket, entry.owner, curl_events(events[i].events, entry.wanted)});
  }
  return ready_;
}

void EventPoll::wake_at(SteadyTime when) {
  if (when >= armed_) return;
  const auto since_epoch = std::max(when.time_since_epoch(), Micros(1));
  itimerspec spec{};
  spec.it_value.tv_sec = since_epoch.count() / 1'000'000;
  spec.it_value.tv_nsec = since_epoch.count() % 1'000'000 * 1000;
  if (timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) == 0) armed_ = when;
}

void EventPoll::woken(SteadyTime now) {
  if (armed_ <= now) armed_ = kNever;
}

}  // namespace agent_queue
