// Port: turns an api_key_ref into the key itself. Implemented by net/key_reader, pg/store/pg_secrets and by fakes.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace agent_queue {

class Secrets {
 public:
  virtual ~Secrets() = default;

  // "env:NAME", "file:/path" or "vault:NAME"; an empty reference gives an empty key. May be asked for each call:
  // implementations cache. Errors name the reference, never the key; `busy`: another time it may be there.
  virtual Result<std::string> resolve(std::string_view api_key_ref) = 0;

  // After a configuration reload: read again.
  virtual void forget() = 0;
};

}  // namespace agent_queue
