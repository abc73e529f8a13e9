// The server's log as ports/log. Regime: guarded C++, noexcept.
#pragma once

#include "ports/log.hpp"

namespace agent_queue::pg {

class PgLog final : public Log {
 public:
  void write(LogLevel level, std::string_view message) noexcept override;
};

}  // namespace agent_queue::pg
