// What the tests of CurlTransport share: a transport, an imposter, and waiting for events instead of sleeping.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "net/curl_transport.hpp"
#include "support/imposter_process.hpp"

namespace agent_queue {

using std::chrono::milliseconds;
using std::chrono::seconds;

class TransportTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { imposter_ = new ImposterProcess; }
  static void TearDownTestSuite() {
    delete imposter_;
    imposter_ = nullptr;
  }

  void SetUp() override {
    make_transport({});
    ASSERT_EQ(call("/_reset").response.status, 200);
  }

  void make_transport(CurlTransportOptions options) {
    auto made = CurlTransport::create(std::move(options));
    ASSERT_TRUE(made.ok()) << made.error().message;
    transport_ = std::move(*made);
  }

  static HttpRequest request_to(std::string url) {
    HttpRequest request;
    request.url = std::move(url);
    request.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer secret-token"}};
    request.body = R"({"messages":[{"role":"user","content":"hola"}]})";
    return request;
  }
  static HttpRequest request(const std::string &path) { return request_to(imposter_->url(path)); }

  CallId submit(HttpRequest what) {
    const CallId id{++last_id_};
    transport_->submit(id, std::move(what));
    return id;
  }

  // Waits for events until that many calls have ended.
  std::vector<CallEnd> finish(std::size_t count) {
    std::vector<CallEnd> ended;
    const SteadyTime give_up = steady_now() + seconds(20);
    while (ended.size() < count && steady_now() < give_up) {
      pollfd wait{transport_->event_fd(), POLLIN, 0};
      ::poll(&wait, 1, 1000);
      transport_->poll(ended);
    }
    EXPECT_EQ(ended.size(), count);
    ended.resize(count);
    return ended;
  }

  void drive_until(const std::function<bool()> &done) {
    std::vector<CallEnd> ended;
    const SteadyTime give_up = steady_now() + seconds(10);
    while (!done() && steady_now() < give_up) {
      pollfd wait{transport_->event_fd(), POLLIN, 0};
      ::poll(&wait, 1, 10);
      transport_->poll(ended);
    }
    EXPECT_TRUE(done());
    EXPECT_TRUE(ended.empty());
  }

  CallEnd call(HttpRequest what) {
    const CallId id = submit(std::move(what));
    CallEnd end = finish(1).front();
    EXPECT_EQ(end.id, id);
    EXPECT_EQ(end.message.find("secret-token"), std::string::npos) << end.message;
    return end;
  }
  CallEnd call(const std::string &path) { return call(request(path)); }

  // What the imposter has seen, asked for by another transport than the one under test.
  static nlohmann::json journal_of(CurlTransport &other) {
    other.submit(CallId{1}, request("/_calls"));
    std::vector<CallEnd> ended;
    for (const SteadyTime give_up = steady_now() + seconds(20); ended.empty() && steady_now() < give_up;) {
      pollfd wait{other.event_fd(), POLLIN, 0};
      ::poll(&wait, 1, 1000);
      other.poll(ended);
    }
    return ended.empty() ? nlohmann::json() : nlohmann::json::parse(ended.front().response.body);
  }

  nlohmann::json journal() { return nlohmann::json::parse(call("/_calls").response.body); }
  int connections() { return journal()["connections"].get<int>(); }

  void expect_error(const CallEnd &end, TransportError error, bool request_sent) {
    EXPECT_STREQ(transport_error_name(end.error), transport_error_name(error)) << end.message;
    EXPECT_EQ(end.request_sent, request_sent) << end.message;
    EXPECT_FALSE(end.message.empty());
    EXPECT_EQ(end.response.status, 0);
    EXPECT_TRUE(end.response.body.empty());
  }

  inline static ImposterProcess *imposter_ = nullptr;
  std::unique_ptr<CurlTransport> transport_;
  std::uint64_t last_id_ = 0;
};
// A port on which nobody listens: bound, never listened on.
class ClosedPort {
 public:
  ClosedPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr *>(&address), length), 0);
    EXPECT_EQ(getsockname(fd_.get(), reinterpret_cast<sockaddr *>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  int port_ = 0;
};

}  // namespace agent_queue
