// The arguments of enqueue_agent() and enqueue_agents(), checked, as parameters of their statements.
// Regime: guarded C++.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/ids.hpp"
#include "pg/api/enqueue_sql.hpp"

struct FunctionCallInfoBaseData;

namespace agent_queue::pg {

inline constexpr int kEnqueueParameters = 9;

struct EnqueueTerms {
  // As sql::enqueue() numbers them; `nulls` as SPI has them.
  std::uintptr_t values[kEnqueueParameters] = {};
  char nulls[kEnqueueParameters] = {};

  std::int64_t now = 0;        // TimestampTz: of this call
  std::optional<UserId> user;  // as given
  bool skips_cache = false;

  bool has(int parameter) const { return nulls[parameter - 1] == ' '; }
  std::uintptr_t value(int parameter) const { return values[parameter - 1]; }
};

// Where a SQL function has the arguments of a job.
struct EnqueueArguments {
  static constexpr int kNone = -1;

  int agent_type = 0;
  int request = 1;
  int user = 2;
  int priority = 3;
  int delay = 4;
  int expires_in = 5;
  int max_retries = 6;
  int skip_cache = 7;
  int key = 8;
  int queue = 9;
};
inline constexpr EnqueueArguments kEnqueueArguments{};

// 22004: agent_type or request is NULL; 22023: delay or expires_in is out of range. What admission checks is left to
// it.
EnqueueTerms read_enqueue_terms(FunctionCallInfoBaseData *fcinfo, sql::Jobs jobs, const EnqueueArguments &arguments);

}  // namespace agent_queue::pg
