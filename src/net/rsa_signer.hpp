// Signs with libcrypto. Keeps nothing between two calls. Tested in test/unit/rsa_signer_test.cpp.
#pragma once

#include "ports/signer.hpp"

namespace agent_queue {

class RsaSigner final : public Signer {
 public:
  Result<std::string> sign_rs256(std::string_view private_key, std::string_view bytes) override;
};

}  // namespace agent_queue
