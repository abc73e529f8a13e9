// How a job stands, as the caller may see it now: for wait_agent(). Regime: guarded C++.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/ids.hpp"
#include "pg/wrap/installation.hpp"

namespace agent_queue::pg {

struct JobState {
  std::string status;
  bool is_of_this_transaction = false;  // inserted or changed by it, and not committed
  std::uintptr_t result = 0;            // of a completed job: a jsonb Datum in the memory context of the caller
  std::string error_code;
  std::string error_message;
  std::optional<std::string> provider;
  std::optional<std::string> model;
  int retry_count = 0;
  std::optional<std::string> wait_reason;
  std::string run_at;  // as text

  bool is_completed() const { return status == "completed"; }
  bool is_failed() const { return status == "failed"; }
};

// Under the latest snapshot, whatever the transaction's isolation, with the caller's rights. nullopt: the caller sees
// no such job. No snapshot is held when it returns.
std::optional<JobState> read_job_state(JobId id, const Installation &where);

}  // namespace agent_queue::pg
