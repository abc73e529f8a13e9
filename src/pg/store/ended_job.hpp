// A job that has reached its end in the running transaction: who waits for it is told, and woken after the commit.
#pragma once

#include <string_view>

#include "core/base/ids.hpp"

namespace agent_queue::pg {

struct EndedJob {
  JobId id;
  const char *status = "completed";
  std::string_view result;  // JSON; empty: not at hand. Points to what outlives the transaction
};

}  // namespace agent_queue::pg
