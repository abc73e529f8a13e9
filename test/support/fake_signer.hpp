// A Signer whose signature is always "signature", and which refuses the key "bad".
#pragma once

#include "ports/signer.hpp"

namespace agent_queue {

class FakeSigner : public Signer {
 public:
  Result<std::string> sign_rs256(std::string_view private_key, std::string_view) override {
    ++signatures;
    if (private_key == "bad") return Error{ErrorKind::invalid_input, "the private key is no key", ""};
    return std::string("signature");
  }

  int signatures = 0;
};

}  // namespace agent_queue
