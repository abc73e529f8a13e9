// Port: the server's log. Messages never hold keys, prompts or answers.
#pragma once

#include <string_view>

namespace agent_queue {

enum class LogLevel { debug, log, warning };

class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view message) noexcept = 0;
};

}  // namespace agent_queue
