// How long an idle system takes from the commit of an enqueue to the request at the provider, and from the answer to
// the waiter. One process is client, provider and waiter, so there is one clock. Prints one JSON line.
//
//   idle_latency CONNINFO samples
//
// The agent type "bench" must exist; its provider is pointed at this process.
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

constexpr int kWarmUp = 20;
// Between two samples: what the worker does after a job (its round, the partition, plans) has ended, and it sleeps.
constexpr std::chrono::milliseconds kRest{20};

[[noreturn]] void die(const std::string &what) {
  std::fprintf(stderr, "idle_latency: %s\n", what.c_str());
  std::exit(1);
}

long micros(Time from, Time to) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::microseconds>(to - from).count());
}

class Session {
 public:
  explicit Session(const char *conninfo) : connection_(PQconnectdb(conninfo)) {
    if (PQstatus(connection_) != CONNECTION_OK) die(PQerrorMessage(connection_));
  }
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;
  ~Session() { PQfinish(connection_); }

  // The first value of the result, or nothing.
  std::string run(const std::string &sql) { return value(PQexec(connection_, sql.c_str())); }

  void begin(const std::string &sql) {
    if (PQsendQuery(connection_, sql.c_str()) != 1) die(PQerrorMessage(connection_));
  }
  std::string end() {
    std::string first;
    while (PGresult *result = PQgetResult(connection_)) first = value(result);
    return first;
  }
  int backend() const { return PQbackendPID(connection_); }

 private:
  std::string value(PGresult *result) {
    const std::unique_ptr<PGresult, void (*)(PGresult *)> owner(result, PQclear);
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) die(PQerrorMessage(connection_));
    return PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
  }

  PGconn *connection_;
};

// The provider: takes one request after the other on kept connections of one worker.
class Provider {
 public:
  Provider() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto *plain = reinterpret_cast<sockaddr *>(&address);
    if (bind(listener_, plain, length) != 0 || listen(listener_, 16) != 0) die("no port");
    getsockname(listener_, plain, &length);
    port_ = ntohs(address.sin_port);
  }

  int port() const { return port_; }

  // Waits for the next request; the time at which its first bytes were there.
  Time take() {
    std::string request;
    Time arrived{};
    while (!is_whole(request)) {
      if (peer_ < 0) accept_peer();
      char buffer[65536];
      const ssize_t bytes = recv(peer_, buffer, sizeof(buffer), 0);
      if (bytes <= 0) {
        close(peer_);
        peer_ = -1;
        request.clear();
        continue;
      }
      if (request.empty()) arrived = Clock::now();
      request.append(buffer, static_cast<std::size_t>(bytes));
    }
    return arrived;
  }

  // The time just before the answer was sent.
  Time answer() {
    static constexpr std::string_view kBody =
        R"({"model":"stub-small","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant",)"
        R"("content":"The delivery came two days late."}}],"usage":{"prompt_tokens":170,"completion_tokens":15}})";
    const std::string text =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " + std::to_string(kBody.size()) +
        "\r\n\r\n" + std::string(kBody);
    const Time sent = Clock::now();
    if (send(peer_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) die("not sent");
    return sent;
  }

 private:
  void accept_peer() {
    peer_ = accept(listener_, nullptr, nullptr);
    const int on = 1;
    setsockopt(peer_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }

  // curl writes header names as they were given to it, and content-length by itself.
  static bool is_whole(const std::string &request) {
    const std::size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::size_t at = request.find("Content-Length: ");
    if (at == std::string::npos || at > end) die("a request without Content-Length");
    return request.size() >= end + 4 + std::strtoul(request.c_str() + at + 16, nullptr, 10);
  }

  int listener_;
  int peer_ = -1;
  int port_ = 0;
};

struct Sample {
  long commit;       // COMMIT sent → COMMIT returned
  long from_send;    // COMMIT sent → request
  long from_return;  // COMMIT returned → request; below 0: the worker was faster than the client's own reply
  long to_waiter;    // answer sent → wait_agent returned
  long bare_commit;  // the same machine's commit of one small row
};

void wait_until_asleep(Session &client, int backend) {
  const std::string sql =
      "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event_type IS NOT NULL AND pid = " +
      std::to_string(backend);
  while (client.run(sql) != "1") std::this_thread::yield();
}

Sample measure(Session &client, Session &waiter, Provider &provider) {
  std::this_thread::sleep_for(kRest);
  auto arrival = std::async(std::launch::async, [&provider] { return provider.take(); });
  client.run("BEGIN");
  const std::string id = client.run("SELECT enqueue_agent('bench', '{\"prompt\": \"An order came late.\"}')");
  Sample sample{};
  const Time sent = Clock::now();
  client.run("COMMIT");
  const Time returned = Clock::now();
  const Time arrived = arrival.get();
  sample.commit = micros(sent, returned);
  sample.from_send = micros(sent, arrived);
  sample.from_return = micros(returned, arrived);

  waiter.begin("SELECT wait_agent(" + id + ")");
  wait_until_asleep(client, waiter.backend());
  const Time answered = provider.answer();
  if (waiter.end().find("two days late") == std::string::npos) die("the waiter has not got the answer");
  sample.to_waiter = micros(answered, Clock::now());

  std::this_thread::sleep_for(kRest);
  client.run("BEGIN");
  client.run("INSERT INTO bench_commit VALUES (1)");
  const Time bare_sent = Clock::now();
  client.run("COMMIT");
  sample.bare_commit = micros(bare_sent, Clock::now());
  return sample;
}

void print(const char *name, const std::vector<Sample> &samples, long Sample::*member) {
  std::vector<long> values;
  for (const Sample &sample : samples) values.push_back(sample.*member);
  std::sort(values.begin(), values.end());
  const auto at = [&](std::size_t percent) { return values[(values.size() - 1) * percent / 100]; };
  std::printf(",\"%s_p50_us\":%ld,\"%s_p95_us\":%ld,\"%s_us\":[", name, at(50), name, at(95), name);
  for (std::size_t i = 0; i < samples.size(); ++i) std::printf("%s%ld", i == 0 ? "" : ",", samples[i].*member);
  std::printf("]");
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 3) die("usage: idle_latency CONNINFO samples");
  const int count = std::max(std::atoi(argv[2]), 1);
  Session client(argv[1]), waiter(argv[1]);
  Provider provider;
  client.run("UPDATE agent_providers SET base_url = 'http://127.0.0.1:" + std::to_string(provider.port()) +
             "/v1' WHERE name = 'bench'");
  client.run("CREATE TABLE IF NOT EXISTS bench_commit (n int)");
  for (int i = 0; i < kWarmUp; ++i) measure(client, waiter, provider);
  std::vector<Sample> samples;
  for (int i = 0; i < count; ++i) samples.push_back(measure(client, waiter, provider));
  std::printf("{\"samples\":%d", count);
  print("commit_to_request", samples, &Sample::from_send);
  print("returned_to_request", samples, &Sample::from_return);
  print("enqueue_commit", samples, &Sample::commit);
  print("answer_to_waiter", samples, &Sample::to_waiter);
  print("bare_commit", samples, &Sample::bare_commit);
  std::printf("}\n");
}
