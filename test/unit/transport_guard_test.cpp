// What CurlTransport refuses: addresses, hosts, URLs, headers, certificates, answers over their bounds, more calls than
// there are descriptors. Nothing here sends a packet to an address outside loopback.
#include <sys/resource.h>

#include <filesystem>
#include <fstream>

#include "support/certificate.hpp"
#include "support/transport_fixture.hpp"

namespace agent_queue {
namespace {

using TransportGuardTest = TransportTest;

TEST_F(TransportGuardTest, NoAddress) {
  // A label of more than 63 bytes is refused by the resolver itself: no question leaves this machine.
  const std::string url = "https://" + std::string(70, 'a') + ".invalid/v1";
  for (int i = 0; i < 50; ++i) submit(request_to(url));
  for (const CallEnd &end : finish(50)) expect_error(end, TransportError::resolve, false);
  // The handles are good for further calls.
  for (int i = 0; i < 50; ++i) submit(request_to(url));
  for (const CallEnd &end : finish(50)) expect_error(end, TransportError::resolve, false);
}

TEST_F(TransportGuardTest, CertificatesAreVerified) {
  const Certificate certificate;
  const ImposterProcess tls({"--tls-cert", certificate.cert(), "--tls-key", certificate.key()});
  const CallEnd unknown = call(request_to(tls.url("/ok", "https")));
  expect_error(unknown, TransportError::tls, false);
  EXPECT_NE(unknown.message.find("certificate"), std::string::npos) << unknown.message;
  CurlTransportOptions options;
  options.ca_file = certificate.cert();
  make_transport(options);
  EXPECT_EQ(call(request_to(tls.url("/ok", "https"))).response.status, 200);
  const CallEnd other_name = call(request_to("https://localhost:" + std::to_string(tls.port()) + "/ok"));
  expect_error(other_name, TransportError::tls, false);
  const auto calls = nlohmann::json::parse(call(request_to(tls.url("/_calls", "https"))).response.body)["calls"];
  EXPECT_EQ(calls.size(), 1u);
}

TEST_F(TransportGuardTest, ManyCallsOverTlsAllEnd) {
  const Certificate certificate;
  const ImposterProcess tls({"--tls-cert", certificate.cert(), "--tls-key", certificate.key()});
  CurlTransportOptions options;
  options.ca_file = certificate.cert();
  make_transport(options);
  for (int i = 0; i < 100; ++i) submit(request_to(tls.url("/delay/50", "https")));
  for (const CallEnd &end : finish(100)) EXPECT_EQ(end.error, TransportError::none) << end.message;
}

TEST_F(TransportGuardTest, ConnectionThatEndsInTheHandshake) {
  const CallEnd end = call(request_to("https://127.0.0.1:" + std::to_string(imposter_->reset_port()) + "/"));
  // The reset may be there before connect() is seen to have succeeded.
  expect_error(end, end.error == TransportError::connect ? TransportError::connect : TransportError::tls, false);
}

TEST_F(TransportGuardTest, BoundsOfTheAnswer) {
  CurlTransportOptions options;
  options.limits.max_response_bytes = 1 << 20;
  make_transport(options);
  expect_error(call("/endless"), TransportError::too_large, true);
  expect_error(call("/huge/1048577"), TransportError::too_large, true);
  EXPECT_EQ(call("/headers/200").response.headers.size(), 202u);
  expect_error(call("/headers/10000"), TransportError::too_large, true);
  EXPECT_EQ(call("/bigheader/60000").response.header("x-big").size(), 60000u);
  expect_error(call("/bigheader/70000"), TransportError::too_large, true);
  expect_error(call("/bigheader/300000"), TransportError::too_large, true);
  transport_->set_limits({.max_response_bytes = 10});
  expect_error(call("/ok"), TransportError::too_large, true);
}

TEST_F(TransportGuardTest, ForbiddenAddressesAreNotCalled) {
  for (const char *url :
       {"http://169.254.169.254/latest/meta-data/", "https://169.254.169.254/", "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/", "http://[::]/", "https://[fe80::1]/", "https://[fd00:ec2::254]/", "https://224.0.0.1/",
        "https://255.255.255.255/", "http://2852039166/", "http://0xa9fea9fe/", "http://169.16689662/",
        "https://[64:ff9b::a9fe:a9fe]/", "https://[2002:a9fe:a9fe::1]/"}) {
    const CallEnd end = call(request_to(url));
    SCOPED_TRACE(url);
    expect_error(end, TransportError::blocked_address, false);
    EXPECT_NE(end.message.find("is never called"), std::string::npos) << end.message;
  }
}

TEST_F(TransportGuardTest, PlainHttpOnlyToLoopback) {
  const CallEnd end = call(request_to("http://10.255.255.1/v1"));
  expect_error(end, TransportError::blocked_address, false);
  EXPECT_NE(end.message.find("plain http"), std::string::npos) << end.message;
  EXPECT_EQ(call(request_to("http://localhost:" + std::to_string(imposter_->port()) + "/ok")).response.status, 200);
}

TEST_F(TransportGuardTest, HostRules) {
  transport_->set_host_rules(*HostRules::parse("api.openai.com, localhost"));
  const CallEnd end = call("/ok");
  expect_error(end, TransportError::blocked_address, false);
  EXPECT_NE(end.message.find("allowed_hosts"), std::string::npos) << end.message;
  transport_->set_host_rules(*HostRules::parse("127.0.0.1:" + std::to_string(imposter_->port())));
  EXPECT_EQ(call("/ok").response.status, 200);
}

TEST_F(TransportGuardTest, UrlsAndHeadersThatCannotBeSent) {
  const std::string port = std::to_string(imposter_->port());
  for (const std::string &url :
       {std::string(""), std::string("http://"), "http://api.openai.com@127.0.0.1:" + port + "/ok",
        "http://user:pass@127.0.0.1:" + port + "/ok", std::string("ftp://127.0.0.1/"),
        std::string("file:///etc/passwd"), "gopher://127.0.0.1:" + port + "/", "http://127.0.0.1:" + port + "/a b",
        std::string("http://127.0.0.1:0/"), "http://127.0.0.1:" + port + "/\r\nx: y",
        std::string("http://127.0.0.1/\0", 18)}) {
    SCOPED_TRACE(url);
    expect_error(call(request_to(url)), TransportError::bad_url, false);
  }
  for (const std::string &value : {std::string("a\r\nx: y"), std::string("a\nb"), std::string("a\0b", 3)}) {
    HttpRequest smuggled = request("/ok");
    smuggled.headers.push_back({"X-Bad", value});
    expect_error(call(smuggled), TransportError::bad_url, false);
  }
  HttpRequest bad_name = request("/ok");
  bad_name.headers.push_back({"X Bad: y\r\nZ", "v"});
  expect_error(call(bad_name), TransportError::bad_url, false);
  EXPECT_TRUE(journal()["calls"].empty());
}

TEST_F(TransportGuardTest, MoreCallsThanAllowed) {
  CurlTransportOptions options;
  options.max_connections = 2;
  make_transport(options);
  submit(request("/delay/100"));
  submit(request("/delay/100"));
  const CallEnd end = call("/ok");
  expect_error(end, TransportError::exhausted, false);
  finish(2);
}

TEST_F(TransportGuardTest, OutOfDescriptors) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  make_transport({});
  ASSERT_EQ(call("/ok").response.status, 200);
  const CallId kept_busy = submit(request("/delay/200"));
  drive_until([this] { return transport_->in_flight() == 1; });
  const UniqueFd lowest(dup(0));
  const rlimit tight{static_cast<rlim_t>(lowest.get()), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  const CallEnd end = call("/ok");
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  expect_error(end, TransportError::exhausted, false);
  EXPECT_EQ(finish(1).front().id, kept_busy);
  EXPECT_EQ(call("/ok").response.status, 200);
}

TEST_F(TransportGuardTest, ResolverThreadsAreFewAndTakeNoSignals) {
  sigset_t mask_before, mask_after;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);
  const std::string url = "https://" + std::string(80, 'b') + ".invalid/v1";
  for (int i = 0; i < 200; ++i) submit(request_to(url));
  std::vector<CallEnd> ended;
  transport_->poll(ended);
  int threads = 0;
  for (const auto &entry : std::filesystem::directory_iterator("/proc/self/task")) {
    if (entry.path().filename() == std::to_string(getpid())) continue;
    std::ifstream status(entry.path() / "status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("SigBlk:")) {
        ++threads;
        EXPECT_EQ(std::stoull(line.substr(7), nullptr, 16) >> (SIGTERM - 1) & 1, 1u);
      }
  }
  EXPECT_LE(threads, 2) << "one resolves for all";
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_after);
  EXPECT_EQ(sigismember(&mask_after, SIGTERM), sigismember(&mask_before, SIGTERM));
  finish(200 - ended.size());
}

}  // namespace
}  // namespace agent_queue
