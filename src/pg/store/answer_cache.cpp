#include "pg/store/answer_cache.hpp"

#include <algorithm>
#include <utility>

#include "core/wire/json_read.hpp"
#include "pg/shared/cache_uses.hpp"
#include "pg/store/answer_cache_sql.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/cells.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

using TextColumn = std::vector<std::optional<std::string_view>>;
using NumberColumn = std::vector<std::optional<std::int64_t>>;

// Beyond the longest that the leader's call may take: then followers do not wait any longer.
constexpr Micros kFollowerPatience{std::chrono::seconds(30)};

// The provider has failed, not the request: yesterday's answer is better than none.
bool is_providers_failure(const Settlement &settlement) {
  if (settlement.outcome == Outcome::retry) return true;
  return settlement.outcome == Outcome::failed &&
         (settlement.error_code == JobErrorCode::provider_error || settlement.error_code == JobErrorCode::uncertain);
}

bool contains(const std::vector<std::int64_t> &jobs, JobId job) {
  return std::find(jobs.begin(), jobs.end(), job.value) != jobs.end();
}

}  // namespace

AnswerCache::Statements::Statements(const Installation &where)
    : serve(sql::kServe, sql::kServedRows, {TIMESTAMPTZOID, BOOLOID}, where),
      served_usage(sql::kServedUsage, sql::kServedUsageRows, {}, where),
      store_answers(sql::kStoreAnswers, sql::kStoredRows, {}, where),
      locked_keys(render_sql(sql::kLockedKeys, where), {TEXTARRAYOID}) {}

void AnswerCache::open(const Installation &where) {
  followers_.open(where);
  if (statements_ != nullptr && statements_of_ == where.extension && statements_in_ == where.schema_quoted) return;
  statements_ = std::make_unique<Statements>(where);
  statements_of_ = where.extension;
  statements_in_ = where.schema_quoted;
}

// Empty: the job has no cache, or was admitted with another definition than the one that it would be called with.
std::optional<AnswerCache::Call> AnswerCache::make_call(const Catalog &catalog, const ClaimedJob &job,
                                                        const std::optional<JobCacheKey> &key, Now now) {
  const AgentType *type = catalog.agent_type(job.agent_type);
  if (!key || type == nullptr || !type->cache) return std::nullopt;
  const CacheRule &rule = *type->cache;
  if (key->definition != short_digest(rule.definition)) return std::nullopt;
  Call call;
  call.key = *key;
  call.agent_type = job.agent_type;
  call.store_key = store_key(rule.type, key->digest);
  if (rule.scope == CacheScope::user) call.owner = job.user_id;
  call.user = job.user_id;
  call.attempt = job.retry_count + 1;
  call.until = now.wall + type->request_timeout + kFollowerPatience;
  if (rule.refresh || rule.stale_while_revalidate) call.request = job.request;
  if (!rule.depends_on.empty())
    if (const Result<Json> request = parse_json(job.request))
      if (const auto names = render_dependencies(rule.depends_on, *request))
        call.dependencies = dump_json(Json(*names));
  return call;
}

// Who follows is not this worker's: it will be parked.
Leaders::Lead AnswerCache::take_lead(JobId job, Call call, Now now) {
  const Leaders::Lead lead = shared::claim_lead(database_, call.key.digest, job, claim_, now.wall, call.until);
  if (lead.standing == Leaders::Standing::follows) return lead;
  call.leads = lead.standing == Leaders::Standing::leads;
  if (call.leads) call.until = lead.until;
  begun_.push_back(job.value);
  calls_.insert_or_assign(job.value, std::move(call));
  return lead;
}

std::vector<AnswerCache::Consulted> AnswerCache::consult(const Catalog &catalog, std::span<JobRow *const> rows, Now now,
                                                         std::vector<EndedJob> &ended) {
  std::vector<Consulted> all(rows.size());
  std::vector<Serving> servings;
  std::vector<std::size_t> asked;  // the rows of the servings
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::optional<Call> call = make_call(catalog, rows[i]->job, rows[i]->cache_key, now);
    if (!call) continue;
    const ClaimedJob &job = rows[i]->job;
    if (call->key.kind == JobCacheKey::Kind::ordinary) {
      const CacheRule &rule = *catalog.cache_rule(job.agent_type);
      asked.push_back(i);
      servings.push_back({job.id, "pending", false, call->store_key,
                          now.wall - rule.stale_while_revalidate.value_or(Micros{0}), job.user_id, job.agent_type,
                          call->attempt});
    }
    const Leaders::Lead lead = take_lead(job.id, std::move(*call), now);
    if (lead.standing == Leaders::Standing::follows) all[i] = {Verdict::follows, lead.until};
  }
  consulted_at_ = now.wall;
  const std::vector<bool> served = serve(servings, now, ended);
  for (std::size_t i = 0; i < served.size(); ++i) {
    if (!served[i]) continue;
    all[asked[i]].verdict = Verdict::served;
    stored_.push_back(servings[i].job.value);  // its answer is there
  }
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (all[i].verdict == Verdict::follows) note_followed(catalog, *rows[i], all[i].until, now);
  return all;
}

// Once for all that follow the same leader.
void AnswerCache::note_followed(const Catalog &catalog, const JobRow &row, WallTime until, Now now) {
  for (const LeadEnd &known : followed_)
    if (known.key.digest == row.cache_key->digest && known.until == until) return;
  const std::string key = store_key(catalog.cache_rule(row.job.agent_type)->type, row.cache_key->digest);
  followed_.push_back({*row.cache_key, key, until, now.wall, true});
}

void AnswerCache::begin(JobId job, WallTime started_at) {
  const auto it = calls_.find(job.value);
  if (it != calls_.end()) it->second.started_at = started_at;
}

// Of this very attempt: the job may have been cancelled, and be called once more.
AnswerCache::Call *AnswerCache::call_of(const Settlement &settlement) {
  const auto it = calls_.find(settlement.id.value);
  return it != calls_.end() && it->second.started_at == settlement.started_at ? &it->second : nullptr;
}

void AnswerCache::resign(JobId job) {
  if (calls_.contains(job.value)) resigned_.push_back(job.value);
}

void AnswerCache::adopt(const Catalog &catalog, const ClaimedJob &job, const std::optional<JobCacheKey> &key, Now now) {
  if (std::optional<Call> call = make_call(catalog, job, key, now)) {
    take_lead(job.id, std::move(*call), now);
    begin(job.id, job.started_at);
  }
}

std::vector<bool> AnswerCache::serve(std::span<const Serving> servings, Now now, std::vector<EndedJob> &ended) {
  std::vector<bool> served(servings.size());
  if (servings.empty()) return served;
  const std::size_t count = servings.size();
  NumberColumn ids, started_at, usable_since;
  TextColumn statuses, keys, costs;
  std::vector<std::int32_t> attempts_added;
  std::deque<std::string> amounts;
  std::vector<std::optional<UserId>> claims;
  std::unordered_map<std::int64_t, std::size_t> places;
  for (std::size_t i = 0; i < count; ++i) {
    ids.emplace_back(servings[i].job.value);
    statuses.emplace_back(servings[i].status);
    claims.push_back(servings[i].is_ours ? std::optional(claim_bytes(claim_)) : std::nullopt);
    keys.emplace_back(servings[i].key);
    usable_since.emplace_back(from_wall(servings[i].usable_since));
    const Settlement *failed = servings[i].failed;
    const bool has_cost = failed != nullptr && failed->usage && failed->usage->cost;
    started_at.push_back(failed != nullptr ? std::optional(from_wall(failed->started_at)) : std::nullopt);
    attempts_added.push_back(failed != nullptr && failed->costs_attempt ? 1 : 0);
    if (has_cost) amounts.push_back(failed->usage->cost->to_string());
    costs.push_back(has_cost ? std::optional<std::string_view>(amounts.back()) : std::nullopt);
    places.emplace(servings[i].job.value, i);
  }
  const bool is_text_wanted = settings::notify_mode() == settings::Notify::full;
  DatumValue values[] = {int8_array(ids),
                         text_array(statuses),
                         uuid_array(claims),
                         timestamptz_array(started_at),
                         text_array(keys),
                         timestamptz_array(usable_since),
                         text_array(costs),
                         int4_array(attempts_added),
                         TimestampTzGetDatum(from_wall(now.wall)),
                         BoolGetDatum(is_text_wanted)};
  if (statements_->serve.run(values, count) == 0) return served;

  const std::vector<TextRow> rows = read_text_rows();
  NumberColumn queue_ids, created_at(rows.size(), from_wall(now.wall));
  TextColumn agent_types, providers, models, saved;
  std::vector<std::int32_t> attempts;
  std::vector<std::optional<UserId>> users;
  for (const TextRow &row : rows) {
    const std::size_t place = places.at(whole(row[0]));
    const Serving &serving = servings[place];
    served[place] = true;
    shared::note_cache_use(serving.key);
    queue_ids.emplace_back(serving.job.value);
    attempts.push_back(serving.attempt);
    users.push_back(serving.user);
    agent_types.emplace_back(serving.agent_type);
    providers.emplace_back(row[1]);
    models.emplace_back(row[2]);
    saved.emplace_back(row[3]);
    results_.push_back(row[5].value_or(""));
    ended.push_back({serving.job, "completed", results_.back()});
  }
  DatumValue usage[] = {int8_array(queue_ids), int4_array(attempts), uuid_array(users), text_array(agent_types),
                        text_array(providers), text_array(models),   text_array(saved), timestamptz_array(created_at)};
  statements_->served_usage.run(usage, rows.size());
  return served;
}

std::vector<bool> AnswerCache::stand_in(const Catalog &catalog, std::span<const Settlement> settlements, Now now,
                                        std::vector<EndedJob> &ended) {
  std::vector<bool> all(settlements.size());
  std::vector<Serving> servings;
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    const Settlement &settlement = settlements[i];
    const Call *call = call_of(settlement);
    if (call == nullptr || !is_providers_failure(settlement)) continue;
    const CacheRule *rule = catalog.cache_rule(call->agent_type);
    if (rule == nullptr || !rule->stale_if_error || call->key.kind == JobCacheKey::Kind::refresh) continue;
    asked.push_back(i);
    servings.push_back({settlement.id, "processing", true, call->store_key, now.wall - *rule->stale_if_error,
                        call->user, call->agent_type, call->attempt + 1, &settlement});
  }
  const std::vector<bool> served = serve(servings, now, ended);
  for (std::size_t i = 0; i < served.size(); ++i) {
    if (!served[i]) continue;
    all[asked[i]] = true;
    stood_in_.emplace(servings[i].job.value, servings[i].usable_since);
  }
  return all;
}

// What follows it is finished by this worker in its next steps.
void AnswerCache::forget(JobId job, const End &end) {
  const auto it = calls_.find(job.value);
  if (it == calls_.end()) return;
  const Call &call = it->second;
  bool is_followed = false;
  if (call.leads) {
    switch (end.kind) {
      case End::Kind::stored:
        is_followed = shared::remove_lead(database_, call.key.digest, job);
        break;
      case End::Kind::failed:
        is_followed = shared::vacate_lead(database_, call.key.digest, job);
        break;
      case End::Kind::not_stored:
        is_followed = shared::spoil_lead(database_, call.key.digest, job);
        break;
    }
  }
  if (is_followed)
    followers_.add({call.key, call.store_key, call.until, end.usable_since, end.kind == End::Kind::not_stored});
  calls_.erase(it);
}

AnswerCache::End AnswerCache::end_of(const Settlement &settlement, SettleFate fate) const {
  const JobId job = settlement.id;
  if (const auto stale = stood_in_.find(job.value); stale != stood_in_.end()) return {End::Kind::stored, stale->second};
  if (contains(stored_, job)) return {End::Kind::stored, settlement.ended_at};
  const bool has_answer = fate == SettleFate::settled && settlement.outcome == Outcome::completed;
  return {has_answer ? End::Kind::not_stored : End::Kind::failed, settlement.ended_at};
}

void AnswerCache::on_commit(std::span<const Settlement> settlements, const std::vector<SettleFate> &fates) {
  for (std::size_t i = 0; i < fates.size(); ++i) {
    const Settlement &settlement = settlements[i];
    const Call *call = call_of(settlement);
    if (fates[i] == SettleFate::kept || call == nullptr) continue;
    const bool is_suspended = fates[i] == SettleFate::settled && settlement.outcome == Outcome::retry &&
                              !stood_in_.contains(settlement.id.value);
    if (!is_suspended) {
      forget(settlement.id, end_of(settlement, fates[i]));
      continue;
    }
    if (call->leads) shared::suspend_lead(database_, call->key.digest, settlement.id);
    calls_.erase(settlement.id.value);
  }
  for (const std::int64_t job : begun_)
    if (contains(stored_, JobId{job})) forget(JobId{job}, {End::Kind::stored, consulted_at_});
  for (const std::int64_t job : resigned_) forget(JobId{job}, {});
  // Who was followed may have ended before this commit, and has not seen these followers.
  for (const LeadEnd &followed : followed_)
    if (!shared::is_led(database_, followed.key.digest, followed.until)) followers_.add(followed);
  clear();
}

int AnswerCache::finish_followers(Now now, std::vector<EndedJob> &ended) {
  followers_.release_old();
  if (!followers_.has_ends()) return 0;
  const LeadEnd &end = followers_.first();
  const std::vector<Follower> found = followers_.find();
  std::vector<Serving> servings;
  for (const Follower &follower : found)
    servings.push_back({follower.job, "scheduled", false, end.store_key, end.usable_since, follower.user,
                        follower.agent_type, follower.attempt});
  const std::vector<bool> served = serve(servings, now, ended);
  int handled = static_cast<int>(std::count(served.begin(), served.end(), true));
  const bool is_any_served = handled > 0;
  // Another worker may be at some of them: whether more wait is told by how many were found.
  bool may_be_more = is_any_served && found.size() == FollowerKeeper::kBatch;
  if (!is_any_served && !found.empty()) {
    handled = followers_.promote();
    may_be_more = end.has_no_answer && handled == FollowerKeeper::kBatch;
  }
  if (!may_be_more) followers_.finish();
  return std::max(handled, 1);
}

void AnswerCache::on_followers_commit() {
  clear();
  followers_.on_commit();
}

void AnswerCache::on_abort() {
  followers_.on_abort();
  for (const std::int64_t job : begun_) forget(JobId{job}, {});
  clear();
}

void AnswerCache::clear() {
  begun_.clear();
  resigned_.clear();
  followed_.clear();
  stored_.clear();
  stood_in_.clear();
  results_.clear();
}

}  // namespace agent_queue::pg
