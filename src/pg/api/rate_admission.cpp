#include "pg/api/rate_admission.hpp"

#include <algorithm>
#include <utility>

#include "core/catalog/limits.hpp"
#include "core/wire/json_read.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/similar_names.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/store/user_directory.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

using shared::ChargeOutcome;
using shared::ChargeResult;
using shared::WindowKind;
using shared::WindowRequest;
using shared::WindowSpace;
using shared::WindowToken;

RateCharge *current_charge = nullptr;

[[noreturn]] void refuse(SqlState state, std::string message, std::string detail, std::string hint) {
  raise(state, {.message = to_server_encoding(std::move(message)),
                .detail = to_server_encoding(std::move(detail)),
                .hint = to_server_encoding(std::move(hint))});
}

void give_back_requests(const Charge &charge) noexcept {
  shared::give_back({charge.place, charge.serial, Micros{charge.at}}, static_cast<int>(charge.amount));
}

std::string quoted(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

// How each kind is called: in the DETAIL's JSON, and by people.
struct KindWords {
  const char *member;
  const char *spoken;
};

KindWords words_of(WindowKind kind) {
  if (kind == WindowKind::agent_type) return {"agent_type", "agent type"};
  if (kind == WindowKind::queue) return {"queue", "queue"};
  return {"endpoint", "endpoint"};
}

std::string seconds_text(std::int64_t seconds) {
  return std::to_string(seconds) + (seconds == 1 ? " second" : " seconds");
}

std::string limit_text(const RateLimit &limit) {
  return std::to_string(limit.max_requests) + (limit.max_requests == 1 ? " request" : " requests") + " in any " +
         seconds_text(limit.window / std::chrono::seconds(1));
}

std::string detail_of(const WindowRequest &window, std::optional<std::int64_t> retry_after) {
  Json detail;
  detail["limit"] = window.limit.max_requests;
  detail["window_seconds"] = window.limit.window / std::chrono::seconds(1);
  detail[words_of(window.key.kind).member] = window.key.name;
  detail["retry_after_seconds"] = retry_after ? Json(*retry_after) : Json();
  return detail.dump();
}

RateRefusal refusal_of(const WindowRequest &window, const ChargeResult &result, std::int64_t requests) {
  const std::string whose = std::string(words_of(window.key.kind).spoken) + " " + quoted(window.key.name);
  if (result.outcome == ChargeOutcome::never && window.limit.max_requests > 0)
    return {sqlstate("22023"),
            {.message = std::to_string(requests) + " requests at once are more than the rate limit of " + whose +
                        " ever takes",
             .detail = detail_of(window, std::nullopt),
             .hint = "It is " + limit_text(window.limit) + ": enqueue the jobs in several calls, or raise the limit."}};
  if (result.outcome == ChargeOutcome::never)
    return {sqlstate("PT429"),
            {.message = "rate limit of " + whose + " is 0",
             .detail = detail_of(window, std::nullopt),
             .hint = "No requests are accepted until the limit is raised."}};
  const std::int64_t seconds = std::chrono::ceil<std::chrono::seconds>(result.retry_after).count();
  return {sqlstate("PT429"),
          {.message = "rate limit of " + whose + " reached",
           .detail = detail_of(window, seconds),
           .hint = "Try again in " + seconds_text(seconds) + ". The limit is " + limit_text(window.limit) + "."}};
}

[[noreturn]] void refuse(const RateRefusal &refusal) {
  refuse(refusal.state, refusal.text.message, refusal.text.detail, refusal.text.hint);
}

// The windows of a job that have a limit.
int windows_of(const RatedJob &job, WindowRequest *windows) {
  int count = 0;
  const auto add = [&](WindowKind kind, const UserId &user, std::string_view name, const RateLimit &limit) {
    windows[count++] = {{MyDatabaseId, WindowSpace::jobs, kind, user, name}, limit};
  };
  if (job.user)
    if (const std::optional<RateLimit> limit = tier_limit(job.catalog, *job.user, job.type.endpoint))
      add(WindowKind::user, *job.user, job.type.endpoint, *limit);
  if (job.type.rate) add(WindowKind::agent_type, {}, job.type.name, *job.type.rate);
  if (job.queue.rate) add(WindowKind::queue, {}, job.queue.name, *job.queue.rate);
  return count;
}

struct ChargedWindows {
  int count = 0;
  std::optional<RateRefusal> refusal;
};

ChargedWindows charge(const RatedJob &job, std::int64_t requests, Charge *charged) {
  WindowRequest windows[shared::kChargedTogetherMax];
  const int count = windows_of(job, windows);
  if (count == 0) return {};
  const int asked = static_cast<int>(std::min<std::int64_t>(requests, PG_INT32_MAX));
  const ChargeResult result = charge_and_note(windows, count, asked, charged);
  raise_unless_judged(result);
  if (result.outcome != ChargeOutcome::accepted) return {0, refusal_of(windows[result.index], result, requests)};
  return {count, {}};
}

}  // namespace

ChargeResult charge_and_note(const WindowRequest *windows, int count, int requests, Charge *charged) {
  reserve_charges(count);
  WindowToken tokens[shared::kChargedTogetherMax];
  const ChargeResult result = shared::charge_windows(windows, count, requests, tokens);
  if (result.outcome != ChargeOutcome::accepted) return result;
  for (int i = 0; i < count; ++i) {
    const Charge made{tokens[i].place, tokens[i].serial, tokens[i].at.count(), requests};
    note_charge(give_back_requests, made);
    if (charged != nullptr) charged[i] = made;
  }
  return result;
}

void raise_unless_judged(const ChargeResult &result) {
  if (result.outcome == ChargeOutcome::memory_full)
    refuse(sqlstate("PT503"), "no memory is left for rate limits",
           "Every window in it still counts requests, and without a window no limit can be kept.",
           "Raise agent_queue.rate_limit_memory and restart the server; rate_limits shows the windows.");
  if (result.outcome == ChargeOutcome::too_many_windows)
    refuse(sqlstate("54000"), "the user has requests at too many endpoints",
           "At " + std::to_string(shared::kWindowsOfUserMax) +
               " of them requests of a user count at a time, if their windows take no more than " +
               std::to_string(shared::window_bytes_of_user_max() / 1024) + " kB.",
           "Use fewer endpoints: an endpoint is a kind of request, not a single one. The window of a limit of 1,000 "
           "takes 16 kB; raise agent_queue.rate_limit_memory for more of those.");
}

void refuse_unknown_tier(const Catalog &catalog, std::string_view tier) {
  refuse(sqlstate("42704"), "tier " + quoted(tier) + " of the user does not exist",
         catalog.tiers.empty() ? "The table agent_tiers is empty."
                               : "There are: " + similar_names(catalog.tiers, tier) + ".",
         "Insert it into the table agent_tiers, or correct the user's row in agent_users.");
}

std::optional<RateLimit> tier_limit(const Catalog &catalog, const UserId &user, std::string_view endpoint) {
  const std::string_view tier = tier_name_of(find_user(user));
  if (find_name(catalog.tiers, tier) == nullptr) refuse_unknown_tier(catalog, tier);
  return rate_limit_of(catalog, tier, endpoint);
}

RateCharge::RateCharge(std::int64_t jobs, IdempotencyKey key) : jobs_(jobs), key_(key), outer_(current_charge) {
  current_charge = this;
}

RateCharge::~RateCharge() {
  current_charge = outer_;
}

bool RateCharge::is_of(const RatedJob &job) const {
  return user_ == job.user && type_ == job.type.name && queue_ == job.queue.name;
}

void RateCharge::keep(std::int64_t stored) {
  for (int i = 0; i < count_; ++i) {
    Charge unused = charged_[i];
    unused.amount = jobs_ - stored;
    if (unused.amount > 0) return_charge(give_back_requests, unused);
  }
}

void RateCharge::raise_refusal() const {
  if (refusal_) refuse(*refusal_);
}

// A job beside the call's own (a trigger of the user's may insert one, or change what it is) is charged for itself.
bool charge_rates(const RatedJob &job, std::int64_t number) {
  RateCharge *call = current_charge;
  if (call == nullptr || number > call->jobs_ || (call->is_charged_ && !call->is_of(job))) {
    Charge alone[shared::kChargedTogetherMax];
    if (const ChargedWindows windows = charge(job, 1, alone); windows.refusal) refuse(*windows.refusal);
    return true;
  }
  if (call->is_charged_) return !call->refusal_;
  call->user_ = job.user;
  call->type_ = job.type.name;
  call->queue_ = job.queue.name;
  ChargedWindows windows = charge(job, call->jobs_, call->charged_);
  if (windows.refusal && call->key_ == IdempotencyKey::none) refuse(*windows.refusal);
  call->count_ = windows.count;
  call->refusal_ = std::move(windows.refusal);
  call->is_charged_ = true;
  return !call->refusal_;
}

}  // namespace agent_queue::pg
