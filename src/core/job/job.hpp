// A job as the worker sees it: what a claim returns and what a settle takes. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/base/usd.hpp"
#include "core/cost/usage.hpp"

namespace agent_queue {

// agent_queue.error_code: the closed list. Names as in SQL come from error_code_name().
enum class JobErrorCode {
  expired,          // nobody called in time; no call was made after expires_at
  cancelled,        // cancel_agent()
  budget_exceeded,  // a budget said no
  provider_error,   // the provider failed and the retries are used up, or said no for good
  invalid_request,  // the request cannot be turned into a call, or the provider rejects it
  configuration,    // no route, no price where one is needed, no key, a host that is not allowed
  uncertain,        // sent, no answer known, and the agent type says not to try again
  store_error,      // the answer could not be stored (it was paid: its usage is kept)
};
const char *error_code_name(JobErrorCode code);
bool is_error_code_name(std::string_view name);

// One of the five of agent_queue.status.
bool is_status_name(std::string_view name);

// agent_queue.wait_reason of a scheduled job.
enum class WaitReason {
  delayed,
  backoff,
  rate_limited,
  budget,       // used up: until the next day or month
  held,         // what is left of a budget is held by running attempts
  concurrency,  // as many of the user's jobs are called as may be
  coalesced,    // an equal job is being called
};
const char *wait_reason_name(WaitReason reason);

// agent_types.on_uncertain
enum class OnUncertain { retry, fail };

// A row that this worker has just claimed.
struct ClaimedJob {
  JobId id;
  std::optional<UserId> user_id;
  std::string agent_type;
  std::string request;  // the JSON text of request_data, UTF-8
  int retry_count = 0;
  int max_retries = 0;
  WallTime created_at;
  std::optional<WallTime> expires_at;
  WallTime started_at;  // when it was claimed; also the time whose prices hold, and api_usage.created_at
};

// One row of api_usage: an attempt that was, or may have been, billed.
struct UsageRecord {
  int attempt = 1;  // 1 is the first; with the job's id and started_at it is unique
  std::optional<UserId> user_id;
  std::string agent_type;
  std::string provider;
  std::string model;
  Usage usage;
  std::optional<Usd> cost;  // empty: no price is known. Never 0 for "unknown"
  bool estimated = false;
  Micros latency{0};
  std::optional<Micros> first_token;  // of a streamed answer: from the request to its first token
  WallTime started_at;
  std::optional<std::int64_t> compressed_tokens;  // that compression saved, about; empty: it was not asked for
  std::int64_t prompt_letters = 0;                // of a prompt that is text alone; 0: not known. No column
};

enum class Outcome {
  completed,
  failed,
  retry,  // scheduled again at run_at
};

// One attempt at a job: a job that was cancelled and is tried again has the same id, but is claimed at another time.
struct AttemptId {
  JobId job;
  WallTime started_at;

  bool operator==(const AttemptId &) const = default;
};

// What becomes of a claimed job; written by one settle.
struct Settlement {
  JobId id;
  WallTime started_at;  // of the attempt: with the id it says which claim of the job this ends
  Outcome outcome = Outcome::completed;
  std::string result;                      // completed: JSON text, UTF-8, storable (no \u0000)
  std::optional<JobErrorCode> error_code;  // failed; also kept on a retry, to show why it waits
  std::string error_message;
  bool costs_attempt = false;  // retry_count + 1
  WallTime run_at;             // retry
  WaitReason wait_reason = WaitReason::backoff;
  std::string provider;  // the target that was called; empty: none was
  std::string model;
  std::optional<UsageRecord> usage;  // written also when the job is gone meanwhile
  bool is_reusable = false;          // completed: finished and no refusal, so that it may answer equal requests
  bool has_parts = false;            // text so far may have been stored: it goes with this settlement
  WallTime ended_at;
};

}  // namespace agent_queue
