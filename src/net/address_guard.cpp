#include "net/address_guard.hpp"

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

namespace agent_queue {
namespace {

using Bytes16 = std::array<std::uint8_t, 16>;

struct V4Range {
  std::uint32_t base;
  int bits;
  AddressKind kind;
  std::string_view reason;
};

constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// The first match decides, so single metadata addresses stand before the ranges that hold them.
constexpr V4Range kV4Ranges[] = {
    {v4(169, 254, 169, 254), 32, AddressKind::forbidden, "metadata address"},
    {v4(169, 254, 0, 0), 16, AddressKind::forbidden, "link-local address"},
    {v4(100, 100, 100, 200), 32, AddressKind::forbidden, "metadata address"},  // Alibaba
    {v4(192, 0, 0, 192), 32, AddressKind::forbidden, "metadata address"},      // Oracle
    {v4(168, 63, 129, 16), 32, AddressKind::forbidden, "metadata address"},    // Azure's host agent
    {v4(0, 0, 0, 0), 8, AddressKind::forbidden, "unspecified address"},
    {v4(255, 255, 255, 255), 32, AddressKind::forbidden, "broadcast address"},
    {v4(224, 0, 0, 0), 4, AddressKind::forbidden, "multicast address"},
    {v4(240, 0, 0, 0), 4, AddressKind::forbidden, "reserved address"},
    {v4(127, 0, 0, 0), 8, AddressKind::loopback, {}},
    {v4(10, 0, 0, 0), 8, AddressKind::private_net, {}},
    {v4(172, 16, 0, 0), 12, AddressKind::private_net, {}},
    {v4(192, 168, 0, 0), 16, AddressKind::private_net, {}},
    {v4(100, 64, 0, 0), 10, AddressKind::private_net, {}},
};

AddressVerdict judge_v4(std::uint32_t host_order) {
  for (const V4Range &range : kV4Ranges)
    if ((host_order ^ range.base) >> (32 - range.bits) == 0) return {range.kind, range.reason};
  return {AddressKind::global, {}};
}

std::uint32_t v4_at(const Bytes16 &bytes, int at) {
  return v4(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}

bool starts_with(const Bytes16 &bytes, std::initializer_list<int> prefix) {
  std::size_t i = 0;
  for (int byte : prefix)
    if (bytes[i++] != byte) return false;
  return true;
}

// The IPv4 address that a translator or the kernel would take from this IPv6 address.
std::optional<std::uint32_t> embedded_v4(const Bytes16 &a) {
  if (starts_with(a, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) return v4_at(a, 12);     // ::ffff:a.b.c.d
  if (starts_with(a, {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0})) return v4_at(a, 12);     // ::ffff:0:a.b.c.d
  if (starts_with(a, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) return v4_at(a, 12);           // ::a.b.c.d
  if (starts_with(a, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return v4_at(a, 12);  // 64:ff9b::a.b.c.d
  if (starts_with(a, {0, 0x64, 0xff, 0x9b, 0, 1})) return v4_at(a, 12);                    // 64:ff9b:1::/48
  if (starts_with(a, {0x20, 0x02})) return v4_at(a, 2);                                    // 6to4
  return std::nullopt;
}

AddressVerdict judge_v6(const Bytes16 &a) {
  constexpr Bytes16 kUnspecified{};
  constexpr Bytes16 kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  if (a == kUnspecified) return {AddressKind::forbidden, "unspecified address"};
  if (a == kLoopback) return {AddressKind::loopback, {}};
  if (std::optional<std::uint32_t> inner = embedded_v4(a)) return judge_v4(*inner);
  if (a[0] == 0xff) return {AddressKind::forbidden, "multicast address"};
  if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) return {AddressKind::forbidden, "link-local address"};
  if (starts_with(a, {0xfd, 0x00, 0x0e, 0xc2})) return {AddressKind::forbidden, "metadata address"};  // AWS
  if (starts_with(a, {0xfd, 0x20, 0x00, 0xce})) return {AddressKind::forbidden, "metadata address"};  // Google
  if ((a[0] & 0xfe) == 0xfc) return {AddressKind::private_net, {}};
  return {AddressKind::global, {}};
}

}  // namespace

AddressVerdict judge_address(const sockaddr *address, socklen_t length) {
  if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in in;
    std::memcpy(&in, address, sizeof(in));
    return judge_v4(ntohl(in.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in6;
    std::memcpy(&in6, address, sizeof(in6));
    Bytes16 bytes;
    std::memcpy(bytes.data(), in6.sin6_addr.s6_addr, bytes.size());
    return judge_v6(bytes);
  }
  return {AddressKind::forbidden, "address of an unknown family"};
}

std::string_view address_refusal(const sockaddr *address, socklen_t length, bool https, const AddressPolicy &policy) {
  const AddressVerdict verdict = judge_address(address, length);
  if (verdict.kind == AddressKind::forbidden) return verdict.reason;
  if (!https && verdict.kind != AddressKind::loopback && !policy.allow_plain_http)
    return "plain http to an address that is not loopback";
  return {};
}

}  // namespace agent_queue
