// Port: signs with a private key. Implemented by net/rsa_signer and by fakes.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace agent_queue {

class Signer {
 public:
  virtual ~Signer() = default;

  // RS256 (RFC 7518: RSASSA-PKCS1-v1_5 with SHA-256) over `bytes`: the raw signature. `private_key`: PEM, RSA, not
  // encrypted. Takes about a millisecond. Errors name no part of the key.
  virtual Result<std::string> sign_rs256(std::string_view private_key, std::string_view bytes) = 0;
};

}  // namespace agent_queue
