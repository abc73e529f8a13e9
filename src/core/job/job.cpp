// The names that SQL knows. Tested in test/unit/job_test.cpp.
#include "core/job/job.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace agent_queue {

const char *error_code_name(JobErrorCode code) {
  switch (code) {
    case JobErrorCode::expired:
      return "expired";
    case JobErrorCode::cancelled:
      return "cancelled";
    case JobErrorCode::budget_exceeded:
      return "budget_exceeded";
    case JobErrorCode::provider_error:
      return "provider_error";
    case JobErrorCode::invalid_request:
      return "invalid_request";
    case JobErrorCode::configuration:
      return "configuration";
    case JobErrorCode::uncertain:
      return "uncertain";
    case JobErrorCode::store_error:
      return "store_error";
  }
  assert(false);
  return "provider_error";
}

bool is_error_code_name(std::string_view name) {
  for (int code = 0; code <= static_cast<int>(JobErrorCode::store_error); ++code)
    if (name == error_code_name(static_cast<JobErrorCode>(code))) return true;
  return false;
}

bool is_status_name(std::string_view name) {
  constexpr std::string_view kNames[] = {"pending", "processing", "completed", "scheduled", "failed"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

const char *wait_reason_name(WaitReason reason) {
  switch (reason) {
    case WaitReason::delayed:
      return "delayed";
    case WaitReason::backoff:
      return "backoff";
    case WaitReason::rate_limited:
      return "rate_limited";
    case WaitReason::budget:
      return "budget";
    case WaitReason::held:
      return "held";
    case WaitReason::concurrency:
      return "concurrency";
    case WaitReason::coalesced:
      return "coalesced";
  }
  assert(false);
  return "delayed";
}

}  // namespace agent_queue
