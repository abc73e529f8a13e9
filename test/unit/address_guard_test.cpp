// Which addresses may be called.
#include "net/address_guard.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <string>

namespace agent_queue {
namespace {

struct Address {
  explicit Address(const std::string &text) {
    if (text.find(':') == std::string::npos) {
      auto *in = reinterpret_cast<sockaddr_in *>(&storage);
      in->sin_family = AF_INET;
      EXPECT_EQ(inet_pton(AF_INET, text.c_str(), &in->sin_addr), 1) << text;
      length = sizeof(sockaddr_in);
    } else {
      auto *in6 = reinterpret_cast<sockaddr_in6 *>(&storage);
      in6->sin6_family = AF_INET6;
      EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &in6->sin6_addr), 1) << text;
      length = sizeof(sockaddr_in6);
    }
  }
  const sockaddr *get() const { return reinterpret_cast<const sockaddr *>(&storage); }
  sockaddr_storage storage{};
  socklen_t length = 0;
};

AddressVerdict judge(const std::string &text) {
  const Address address(text);
  return judge_address(address.get(), address.length);
}

TEST(AddressGuardTest, ForbiddenAddresses) {
  for (const char *text : {"169.254.169.254",
                           "169.254.0.1",
                           "169.254.255.255",
                           "0.0.0.0",
                           "0.1.2.3",
                           "224.0.0.1",
                           "239.255.255.255",
                           "240.0.0.1",
                           "255.255.255.255",
                           "100.100.100.200",
                           "192.0.0.192",
                           "168.63.129.16",
                           "::",
                           "fe80::1",
                           "febf::1",
                           "ff02::1",
                           "fd00:ec2::254",
                           "fd00:ec2::23",
                           "fd20:ce::254",
                           "::ffff:169.254.169.254",
                           "::169.254.169.254",
                           "::ffff:0:169.254.169.254",
                           "64:ff9b::169.254.169.254",
                           "64:ff9b:1::169.254.169.254",
                           "2002:a9fe:a9fe::1",
                           "::ffff:0.0.0.0",
                           "::ffff:224.0.0.1",
                           "2002:e000:1::",
                           "64:ff9b::255.255.255.255"}) {
    EXPECT_EQ(judge(text).kind, AddressKind::forbidden) << text;
    EXPECT_FALSE(judge(text).reason.empty()) << text;
  }
  EXPECT_EQ(judge("169.254.169.254").reason, "metadata address");
  EXPECT_EQ(judge("169.254.1.1").reason, "link-local address");
}

TEST(AddressGuardTest, AllowedAddresses) {
  for (const char *text : {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"})
    EXPECT_EQ(judge(text).kind, AddressKind::loopback) << text;
  for (const char *text : {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255",
                           "fc00::1", "fd12:3456::1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1"})
    EXPECT_EQ(judge(text).kind, AddressKind::private_net) << text;
  for (const char *text : {"1.1.1.1", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
                           "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "223.255.255.255",
                           "2606:4700::1", "fe00::1", "64:ff9b::1.1.1.1", "2002:101:101::1"})
    EXPECT_EQ(judge(text).kind, AddressKind::global) << text;
}

TEST(AddressGuardTest, OtherFamiliesAndShortAddressesAreForbidden) {
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_EQ(judge_address(reinterpret_cast<sockaddr *>(&local), sizeof(local)).kind, AddressKind::forbidden);
  const Address cut("1.1.1.1");
  EXPECT_EQ(judge_address(cut.get(), 4).kind, AddressKind::forbidden);
}

TEST(AddressGuardTest, PlainHttpOnlyToLoopbackUnlessAllowed) {
  const auto refusal = [](const char *text, bool https, bool allow) {
    const Address address(text);
    return address_refusal(address.get(), address.length, https, AddressPolicy{.allow_plain_http = allow});
  };
  EXPECT_EQ(refusal("127.0.0.1", false, false), "");
  EXPECT_EQ(refusal("::1", false, false), "");
  EXPECT_NE(refusal("10.0.0.1", false, false), "");
  EXPECT_NE(refusal("1.1.1.1", false, false), "");
  EXPECT_EQ(refusal("10.0.0.1", false, true), "");
  EXPECT_EQ(refusal("10.0.0.1", true, false), "");
  EXPECT_EQ(refusal("1.1.1.1", true, false), "");
  EXPECT_NE(refusal("169.254.169.254", true, true), "");
}

}  // namespace
}  // namespace agent_queue
