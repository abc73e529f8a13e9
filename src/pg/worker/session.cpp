#include "pg/worker/session.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

struct Setting {
  const char *name;
  const char *value;
};

// The planner switches leave the index plans that the store's statements are written for, whatever the statistics say:
// a table that was analyzed while it was empty must not turn a claim into a sequential scan.
constexpr Setting kForced[] = {
    {"search_path", "pg_catalog, pg_temp"},
    {"default_transaction_isolation", "read committed"},
    {"default_transaction_read_only", "off"},
    {"default_transaction_deferrable", "off"},
    {"synchronous_commit", "on"},
    {"lock_timeout", "200ms"},
    {"statement_timeout", "0"},
    {"idle_in_transaction_session_timeout", "0"},
    {"session_replication_role", "origin"},
    {"row_security", "on"},
    {"standard_conforming_strings", "on"},
    {"client_min_messages", "warning"},
    {"jit", "off"},
    {"max_parallel_workers_per_gather", "0"},
    {"enable_seqscan", "off"},
    {"enable_bitmapscan", "off"},
    {"enable_hashjoin", "off"},
    {"enable_mergejoin", "off"},
    {"application_name", "agent_queue worker"},
#if PG17_GE
    {"transaction_timeout", "0"},
#endif
};

constexpr int kOwnDescriptors = 1200;  // Postgres' own files (max_files_per_process) and a reserve

}  // namespace

void install_worker_signals() {
  pqsignal(SIGTERM, die);
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  BackgroundWorkerUnblockSignals();
}

void force_session_settings() {
  for (const Setting &setting : kForced)
    guard([&] { SetConfigOption(setting.name, setting.value, PGC_SUSET, PGC_S_OVERRIDE); });
}

int raise_descriptor_limit(int calls) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return calls;
  const auto needed = static_cast<rlim_t>(calls) + kOwnDescriptors;
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < needed) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max == RLIM_INFINITY ? needed : std::min(needed, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed) return calls;
  // With less than our own reserve, half of what there is goes to calls.
  const auto current = static_cast<int>(limit.rlim_cur);
  return std::max(1, std::min(calls, current > 2 * kOwnDescriptors ? current - kOwnDescriptors : current / 2));
}

}  // namespace agent_queue::pg
