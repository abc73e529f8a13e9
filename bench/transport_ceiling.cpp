// How fast and how small the transport is by itself: N requests, C in flight, against one URL; one JSON line.
//
//   transport_ceiling URL [requests] [in flight] [body bytes] [CA file]
//
// The memory of a call in flight is the growth of the resident set from before the first call to its peak, divided by
// the calls in flight.
#include <poll.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "net/curl_transport.hpp"

namespace agent_queue {
namespace {

long peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

double cpu_micros() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

struct Plan {
  std::string url;
  long requests = 100'000;
  int in_flight = 500;
  std::size_t body_bytes = 700;
  std::string ca_file;
};

HttpRequest make_request(const Plan &plan) {
  HttpRequest request;
  request.url = plan.url;
  request.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer bench"}};
  request.body = R"({"model":"bench","messages":[{"role":"user","content":")";
  request.body.append(plan.body_bytes, 'x').append("\"}]}");
  return request;
}

struct Count {
  long submitted = 0;
  long answered = 0;
  long polls = 0;
  std::map<std::string, long> failed;
};

Count run(CurlTransport &transport, const Plan &plan) {
  Count count;
  std::vector<CallEnd> ended;
  while (count.answered < plan.requests) {
    while (transport.in_flight() < plan.in_flight && count.submitted < plan.requests)
      transport.submit(CallId{static_cast<std::uint64_t>(++count.submitted)}, make_request(plan));
    pollfd wait{transport.event_fd(), POLLIN, 0};
    poll(&wait, 1, 1000);
    transport.poll(ended);
    ++count.polls;
    for (const CallEnd &end : ended) {
      ++count.answered;
      if (end.error != TransportError::none)
        ++count.failed[std::string(transport_error_name(end.error)) + ": " + end.message];
      else if (end.response.status != 200)
        ++count.failed["HTTP " + std::to_string(end.response.status)];
    }
    ended.clear();
  }
  return count;
}

int measure(const Plan &plan) {
  CurlTransportOptions options;
  options.max_connections = plan.in_flight;
  options.ca_file = plan.ca_file;
  auto transport = CurlTransport::create(options);
  if (!transport) {
    std::fprintf(stderr, "%s\n", transport.error().message.c_str());
    return 1;
  }
  const long kilobytes_before = peak_kilobytes();
  const double cpu_before = cpu_micros();
  const SteadyTime start = steady_now();
  const Count count = run(**transport, plan);
  const SteadyTime end = steady_now();
  const double cpu = cpu_micros() - cpu_before;
  const double kilobytes = static_cast<double>(peak_kilobytes() - kilobytes_before);
  transport->reset();
  const double wall = static_cast<double>((end - start).count()) / 1e6;
  const double teardown = static_cast<double>((steady_now() - end).count()) / 1e3;
  for (const auto &[what, times] : count.failed) std::fprintf(stderr, "%ld x %s\n", times, what.c_str());
  const auto requests = static_cast<double>(plan.requests);
  std::printf(
      "{\"requests\":%ld,\"in_flight\":%d,\"failed\":%zu,\"wall_s\":%.3f,\"requests_per_s\":%.0f,"
      "\"cpu_us_per_request\":%.2f,\"requests_per_poll\":%.1f,\"kb_per_call_in_flight\":%.1f,\"teardown_ms\":%.1f}\n",
      plan.requests, plan.in_flight, count.failed.size(), wall, requests / wall, cpu / requests,
      requests / static_cast<double>(count.polls), kilobytes / plan.in_flight, teardown);
  return count.failed.empty() ? 0 : 1;
}

}  // namespace
}  // namespace agent_queue

int main(int argc, char **argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: transport_ceiling URL [requests] [in flight] [body bytes] [CA file]\n");
    return 2;
  }
  agent_queue::Plan plan;
  plan.url = argv[1];
  if (argc > 2) plan.requests = std::atol(argv[2]);
  if (argc > 3) plan.in_flight = std::atoi(argv[3]);
  if (argc > 4) plan.body_bytes = static_cast<std::size_t>(std::atol(argv[4]));
  if (argc > 5) plan.ca_file = argv[5];
  return agent_queue::measure(plan);
}
