#include "pg/api/admission.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/job/claim_key.hpp"
#include "core/job/job.hpp"
#include "pg/api/budget_admission.hpp"
#include "pg/api/caller.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/job_row.hpp"
#include "pg/api/place_in_line.hpp"
#include "pg/api/rate_admission.hpp"
#include "pg/api/request_check.hpp"
#include "pg/api/similar_names.hpp"
#include "pg/api/work_announcer.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/config_cache.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/installation.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

AdmissionCall *current_call = nullptr;

constexpr int kPriorityMin = 1;
constexpr int kPriorityMax = 10;
constexpr int kPriorityDefault = 5;
constexpr int kMaxRetriesMax = 100;
constexpr int kMaxRetriesDefault = 3;
constexpr int kKeyLengthMax = 200;
constexpr TimestampTz kSoon = INT64CONST(60'000'000);  // µs
constexpr const char *kQueueDefault = "agents";

[[noreturn]] void refuse(SqlState state, std::string message, std::string detail, std::string hint) {
  raise(state, {.message = to_server_encoding(std::move(message)),
                .detail = to_server_encoding(std::move(detail)),
                .hint = to_server_encoding(std::move(hint))});
}

std::string in_quotes(std::string_view name) {
  std::string text = "\"";
  text.append(name);
  return text + "\"";
}

}  // namespace

// The time of the job being admitted, and how far its given times move.
struct AdmissionClock {
  TimestampTz now;
  std::int64_t shift;

  static AdmissionClock tick() {
    if (current_call == nullptr) return {GetCurrentTimestamp(), 0};
    const std::int64_t shift = current_call->jobs_seen_++;
    return {current_call->now_ + shift, shift};
  }
};

static int trigger_depth() {
  return guard([] { return DatumGetInt32(OidFunctionCall0(F_PG_TRIGGER_DEPTH)); });
}

bool AdmissionCall::is_own() const {
  return trigger_depth() == trigger_depth_ + 1;
}

AdmissionCall::AdmissionCall(std::int64_t now, Cache cache)
    : now_(now), cache_(cache), trigger_depth_(trigger_depth()), outer_(current_call) {
  current_call = this;
}

AdmissionCall::~AdmissionCall() {
  current_call = outer_;
}

namespace {

const AgentType &find_agent_type(const Catalog &catalog, const JobRow &row) {
  if (row.is_null(Column::agent_type))
    refuse(sqlstate("22004"), "agent_type is NULL", {}, "Name a row of agent_types.");
  std::string storage;
  const std::string_view name = to_utf8(row.get_text(Column::agent_type), storage);
  if (const AgentType *type = catalog.agent_type(name)) return *type;
  refuse(sqlstate("42704"), "agent type " + in_quotes(name) + " does not exist",
         catalog.agent_types.empty() ? "The table agent_types is empty."
                                     : "There are: " + similar_names(catalog.agent_types, name) + ".",
         "Insert it into the table agent_types, and its route into agent_routes.");
}

void check_type(const AgentType &type) {
  if (!type.prompt_template_error.empty())
    refuse(sqlstate("22023"), "agent type " + in_quotes(type.name) + " has a broken prompt_template",
           type.prompt_template_error, "Correct its row in agent_types.");
  if (type.cache && !type.cache->depends_on_error.empty())
    refuse(sqlstate("22023"), "agent type " + in_quotes(type.name) + " has a broken cache_depends_on",
           type.cache->depends_on_error, "Correct its row in agent_types.");
}

void admit_request(const JobRow &row, const AgentType &type) {
  if (row.is_null(Column::request_data)) refuse(sqlstate("22004"), "request_data is NULL", {}, {});
  check_request(row.get(Column::request_data), type);
}

int admit_priority(JobRow &row, const AgentType &type) {
  if (row.is_null(Column::priority)) row.set_int32(Column::priority, type.priority);
  const int priority = row.get_int32(Column::priority);
  if (priority < kPriorityMin || priority > kPriorityMax)
    refuse(sqlstate("22023"), "priority is " + std::to_string(priority) + ", which is not from 1 to 10", {},
           "1 goes first: 1 is high, 5 normal, 9 low.");
  return priority;
}

void admit_max_retries(JobRow &row, const AgentType &type) {
  if (row.is_null(Column::max_retries)) row.set_int32(Column::max_retries, type.max_retries);
  const int max_retries = row.get_int32(Column::max_retries);
  if (max_retries < 0 || max_retries > kMaxRetriesMax)
    refuse(sqlstate("22023"), "max_retries is " + std::to_string(max_retries) + ", which is not from 0 to 100", {},
           "0 makes one attempt only.");
}

const Queue &admit_queue(JobRow &row, const AgentType &type, const Catalog &catalog) {
  const bool is_given = !row.is_null(Column::queue);
  std::string storage;
  const std::string_view name = is_given ? to_utf8(row.get_text(Column::queue), storage) : std::string_view(type.queue);
  const Queue *queue = find_name(catalog.queues, name);
  if (queue == nullptr)
    refuse(sqlstate("42704"), "queue " + in_quotes(name) + " does not exist",
           is_given ? "There are: " + similar_names(catalog.queues, name) + "."
                    : "It is the queue of agent type " + in_quotes(type.name) + ".",
           "Insert it into the table agent_queues.");
  if (!is_given) row.set_text(Column::queue, to_server_encoding(type.queue));
  return *queue;
}

void check_idempotency_key(const JobRow &row) {
  if (row.is_null(Column::idempotency_key)) return;
  const std::string_view key = row.get_text(Column::idempotency_key);
  const char *bytes = key.data();
  const int length = static_cast<int>(key.size());
  const int characters = guard([&] { return pg_mbstrlen_with_len(bytes, length); });
  if (characters < 1 || characters > kKeyLengthMax)
    refuse(sqlstate("22023"),
           "idempotency_key has " + std::to_string(characters) + " characters, which is not from 1 to 200", {},
           "NULL means that there is none.");
}

// Returns whose job it is; empty: the system's.
std::optional<UserId> admit_user(JobRow &row, const Installation &where) {
  std::optional<UserId> wanted;
  if (!row.is_null(Column::user_id)) {
    wanted.emplace();
    const auto *bytes = reinterpret_cast<const pg_uuid_t *>(row.get(Column::user_id))->data;
    std::copy(bytes, bytes + UUID_LEN, wanted->begin());
  }
  const std::optional<UserId> user = resolve_user(wanted, where);
  if (user && !wanted) row.set(Column::user_id, uuid_datum(*user));
  return user;
}

// The clock's shift is added to what the caller gave; what would leave the range of timestamps is refused.
TimestampTz moved(TimestampTz time, std::int64_t by, const char *what) {
  TimestampTz sum = 0;
  if (__builtin_add_overflow(time, by, &sum) || !IS_VALID_TIMESTAMP(sum))
    refuse(sqlstate("22008"), std::string(what) + " is out of range", {}, {});
  return sum;
}

// Returns run_at. A time that has passed means now: nobody gets ahead in the line by naming an old one.
TimestampTz admit_run_at(JobRow &row, const AdmissionClock &clock) {
  TimestampTz run_at = clock.now;
  if (!row.is_null(Column::run_at)) {
    const TimestampTz given = row.get_int64(Column::run_at);
    if (TIMESTAMP_NOT_FINITE(given)) refuse(sqlstate("22023"), "run_at is not finite", {}, {});
    run_at = std::max(run_at, moved(given, clock.shift, "run_at"));
  }
  row.set_int64(Column::created_at, clock.now);
  row.set_int64(Column::run_at, run_at);
  const bool is_delayed = run_at > clock.now;
  row.set_text(Column::status, is_delayed ? "scheduled" : "pending");
  if (is_delayed)
    row.set_text(Column::wait_reason, wait_reason_name(WaitReason::delayed));
  else
    row.set_null(Column::wait_reason);
  return run_at;
}

void admit_expires_at(JobRow &row, const AgentType &type, TimestampTz run_at, const AdmissionClock &clock) {
  if (row.is_null(Column::expires_at)) {
    if (type.expires_in) row.set_int64(Column::expires_at, moved(run_at, type.expires_in->count(), "expires_at"));
    return;
  }
  TimestampTz expires_at = row.get_int64(Column::expires_at);
  if (TIMESTAMP_IS_NOEND(expires_at)) return row.set_null(Column::expires_at);
  if (!TIMESTAMP_NOT_FINITE(expires_at)) expires_at = moved(expires_at, clock.shift, "expires_at");
  if (expires_at <= run_at)
    refuse(sqlstate("22023"), "the job would expire before it may run", "expires_at is not after run_at.",
           "Leave expires_at out for what the agent type says; 'infinity' means never.");
  row.set_int64(Column::expires_at, expires_at);
}

// What belongs to the machinery is not for a client to write.
void clear_machinery(JobRow &row) {
  for (const Column column :
       {Column::started_at, Column::completed_at, Column::result, Column::error_code, Column::error_message,
        Column::provider, Column::model, Column::input_tokens, Column::output_tokens, Column::cost_usd,
        Column::hold_usd, Column::claim, Column::cache_key})
    row.set_null(column);
  row.set_int32(Column::retry_count, 0);
  row.set_bool(Column::cached, false);
  row.set_bool(Column::stale, false);
}

// As it is stored; the claim counts the JSON text, which is seldom longer.
std::size_t bytes_of(Datum jsonb) {
  return guard([&] { return toast_raw_datum_size(jsonb); });
}

// True: the job has its answer, and waits for nothing.
bool admit_answer(JobRow &row, const AgentType &type, const std::optional<UserId> &user, bool is_delayed,
                  TimestampTz now) {
  if (!type.cache) return false;
  const bool is_of_a_call = current_call != nullptr && current_call->is_own();
  if (is_of_a_call && current_call->skips_cache()) return false;
  if (!admit_cache_key(row, type, user) || !is_of_a_call || is_delayed) return false;
  std::optional<AdmittedHit> hit = answer_at_once(row, type, user, now);
  if (!hit) return false;
  current_call->note_hit(std::move(*hit));
  return true;
}

// False: the job is to be left out.
bool admit_new(JobRow &row) {
  const AdmissionClock clock = AdmissionClock::tick();
  const std::shared_ptr<const Catalog> catalog = current_catalog();
  const AgentType &type = find_agent_type(*catalog, row);
  check_type(type);
  const std::optional<UserId> user = admit_user(row, installation());
  admit_request(row, type);
  const int priority = admit_priority(row, type);
  admit_max_retries(row, type);
  const Queue &queue = admit_queue(row, type, *catalog);
  check_idempotency_key(row);
  clear_machinery(row);
  const TimestampTz run_at = admit_run_at(row, clock);
  admit_expires_at(row, type, run_at, clock);
  if (!charge_rates({*catalog, user, type, queue}, current_call == nullptr ? 1 : current_call->jobs_seen()))
    return false;
  const std::shared_ptr<const Payers> payers = current_payers();
  const shared::Payer payer = find_payer(*payers, type, user);
  if (admit_answer(row, type, user, run_at > clock.now, clock.now)) {
    admit_answered(payer);
    row.set_int64(Column::claim_key, claim_key(Micros{clock.now}, priority));
    return true;
  }
  admit_spending(payer, *catalog, type, bytes_of(row.get(Column::request_data)));
  // A job of later stands where its time puts it; a moment's delay is no way to the front.
  const bool is_of_now = run_at - clock.now < kSoon;
  const TimestampTz start =
      is_of_now ? std::max(run_at, stand_in_line(payer, queue.name, type.name, priority, clock.now)) : run_at;
  const std::int64_t key = claim_key(Micros{start}, priority);
  row.set_int64(Column::claim_key, key);
  if (run_at > clock.now)
    note_delayed_job(run_at);
  else
    note_job(queue.name, type.name, key);
  return true;
}

template <typename Set>
void set_if_null(JobRow &row, Column column, Set set) {
  if (row.is_null(column)) set();
}

// From a restore, a replica or an administrator: stored as it is, and not run before adopt_jobs().
void keep_as_it_is(JobRow &row) {
  if (!caller_is_owner(installation()))
    refuse(sqlstate("42501"), "status cannot be set by a client",
           "Rows with a status are for the extension's owner and superusers: they are stored as they are and wait for "
           "adopt_jobs().",
           "Leave status out.");
  row.set_null(Column::claim);
  row.set_null(Column::claim_key);
  set_if_null(row, Column::created_at, [&] { row.set_int64(Column::created_at, GetCurrentTimestamp()); });
  set_if_null(row, Column::run_at, [&] { row.set_int64(Column::run_at, row.get_int64(Column::created_at)); });
  set_if_null(row, Column::priority, [&] { row.set_int32(Column::priority, kPriorityDefault); });
  set_if_null(row, Column::retry_count, [&] { row.set_int32(Column::retry_count, 0); });
  set_if_null(row, Column::max_retries, [&] { row.set_int32(Column::max_retries, kMaxRetriesDefault); });
  set_if_null(row, Column::cached, [&] { row.set_bool(Column::cached, false); });
  set_if_null(row, Column::stale, [&] { row.set_bool(Column::stale, false); });
  set_if_null(row, Column::queue, [&] { row.set_text(Column::queue, kQueueDefault); });
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_admit) {
  using namespace agent_queue::pg;
  const auto *trigger = reinterpret_cast<const TriggerData *>(fcinfo->context);
  if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
      !TRIGGER_FIRED_BY_INSERT(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
    raise(sqlstate("39P01"),
          {.message = "aq_admit was not called as a BEFORE INSERT FOR EACH ROW trigger", .detail = {}, .hint = {}});
  JobRow row(*trigger);
  if (!row.is_null(Column::status))
    keep_as_it_is(row);
  else if (!admit_new(row))
    return PointerGetDatum(nullptr);
  return PointerGetDatum(row.make_tuple());
}
