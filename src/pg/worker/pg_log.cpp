#include "pg/worker/pg_log.hpp"

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

static int level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return DEBUG1;
    case LogLevel::log:
      return LOG;
    case LogLevel::warning:
      return WARNING;
  }
  return LOG;
}

void PgLog::write(LogLevel level, std::string_view message) noexcept {
  const int elevel = level_of(level);
  const char *text = message.data();
  const int size = static_cast<int>(message.size());
  guard_noexcept("write to the log", [&] { ereport(elevel, (errmsg_internal("agent_queue: %.*s", size, text))); });
}

}  // namespace agent_queue::pg
