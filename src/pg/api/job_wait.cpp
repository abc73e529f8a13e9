#include "pg/api/job_wait.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "core/wire/json_read.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/interval.hpp"
#include "pg/api/job_sqlstate.hpp"
#include "pg/api/job_state.hpp"
#include "pg/api/owned_job.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/shared/waiters.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/installation.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// From here on no settle of the job is missed, whichever way the scope is left.
class Waiting {
 public:
  explicit Waiting(JobId id) : id_(id) {
    guard([&] { shared::prepare_wait(MyDatabaseId, id); });
  }
  ~Waiting() { shared::cancel_wait(); }
  Waiting(const Waiting &) = delete;
  Waiting &operator=(const Waiting &) = delete;

  // Until something may have changed, at most so long. Serves interrupts.
  void sleep(milliseconds at_most) const {
    const JobId id = id_;
    const long timeout_ms = static_cast<long>(at_most.count());
    guard([&] { shared::wait_settled(MyDatabaseId, id, timeout_ms); });
  }

 private:
  JobId id_;
};

Json text_or_null(const std::optional<std::string> &text) {
  std::string storage;
  return text ? Json(to_utf8(*text, storage)) : Json(nullptr);
}

[[noreturn]] void raise_job_error(JobId id, const JobState &state) {
  const Json facts = {{"id", id.value},
                      {"error_code", state.error_code},
                      {"provider", text_or_null(state.provider)},
                      {"model", text_or_null(state.model)},
                      {"retry_count", state.retry_count}};
  raise(job_sqlstate(state.error_code),
        {.message = state.error_message.empty() ? job_name(id) + " failed: " + state.error_code : state.error_message,
         .detail = to_server_encoding(dump_json(facts)),
         .hint = {}});
}

[[noreturn]] void raise_timeout(JobId id, const JobState &state, milliseconds timeout) {
  std::string detail = "Its status is " + state.status;
  if (state.wait_reason) detail += " (" + *state.wait_reason + ", until " + state.run_at + ")";
  raise(timeout_sqlstate(), {.message = job_name(id) + " did not end within " + std::to_string(timeout.count()) + " ms",
                             .detail = detail + ".",
                             .hint = "The job goes on: wait again, or read its row later."});
}

// Raises where waiting is in vain.
void check_is_awaitable(JobId id, const std::optional<JobState> &state) {
  if (!state) raise_no_job(id);
  if (state->is_failed()) raise_job_error(id, *state);
  if (!state->is_completed() && state->is_of_this_transaction)
    raise(sqlstate("55000"),
          {.message = job_name(id) + " was enqueued or changed by this transaction, which has not committed",
           .detail = "No worker sees it before.",
           .hint = "Commit first: enqueue and wait in two statements."});
}

// A year is for ever here; so no sum overflows.
constexpr milliseconds kTimeoutMax = std::chrono::hours(24 * 365);

}  // namespace

milliseconds read_timeout(std::uintptr_t interval) {
  const std::int64_t micros = interval_micros(interval);
  if (micros < 0)
    raise(sqlstate("22023"), {.message = "timeout is negative", .detail = {}, .hint = "0 looks without waiting."});
  return std::min(std::chrono::ceil<milliseconds>(std::chrono::microseconds(micros)), kTimeoutMax);
}

std::uintptr_t wait_for_job(JobId id, milliseconds timeout, void (*before_sleep)()) {
  const Installation where = installation();
  const Clock::time_point deadline = Clock::now() + timeout;
  const Waiting waiting(id);
  while (true) {
    const std::optional<JobState> state = read_job_state(id, where);
    check_is_awaitable(id, state);
    if (state->is_completed()) return state->result;
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left <= milliseconds(0)) raise_timeout(id, *state, timeout);
    if (before_sleep != nullptr) before_sleep();
    waiting.sleep(std::min(left, milliseconds(settings::poll_interval_ms)));
  }
}

}  // namespace agent_queue::pg
