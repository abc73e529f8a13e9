// Which addresses may be called. Judged when the socket is opened, after name resolution, so that no DNS answer can
// lead a call to a metadata service. Pure. Tested in test/unit/address_guard_test.cpp.
#pragma once

#include <sys/socket.h>

#include <string_view>

namespace agent_queue {

enum class AddressKind {
  global,
  private_net,  // 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7: self-hosted model servers live there
  loopback,
  forbidden,  // never called: link-local, metadata, unspecified, multicast, broadcast, reserved
};

struct AddressVerdict {
  AddressKind kind = AddressKind::forbidden;
  std::string_view reason;  // forbidden only: static text, "link-local"
};

// Judges IPv4 and IPv6, also IPv4 inside IPv6 (mapped, compatible, 6to4, NAT64). Other families are forbidden.
AddressVerdict judge_address(const sockaddr *address, socklen_t length);

struct AddressPolicy {
  bool allow_plain_http = false;  // http:// to addresses that are not loopback
};

// Empty: the call may go there. Else the reason, as in "link-local address".
std::string_view address_refusal(const sockaddr *address, socklen_t length, bool https, const AddressPolicy &policy);

}  // namespace agent_queue
