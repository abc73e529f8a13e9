// AnswerCache: what is stored when a call has ended.
#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "pg/store/answer_cache.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

using TextColumn = std::vector<std::optional<std::string_view>>;
using NumberColumn = std::vector<std::optional<std::int64_t>>;

std::optional<std::string_view> or_null(const std::string &text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

}  // namespace

// Keys that somebody else has locked, a user who invalidates them, say. A paid answer does not wait for that.
std::unordered_set<std::string> AnswerCache::locked_keys(const std::vector<std::string> &keys) {
  DatumValue values[] = {text_array({keys.begin(), keys.end()})};
  statements_->locked_keys.run(values, nullptr, KeptPlan::Mode::read_write);
  std::vector<std::string> locked = read_texts();
  return {locked.begin(), locked.end()};
}

void AnswerCache::store(const Catalog &catalog, std::span<const Settlement> settlements,
                        const std::vector<SettleFate> &fates, Now now) {
  // By key: two workers store in one order, and of two answers to one key the later one counts.
  std::map<std::string, std::pair<const Settlement *, const Call *>> good;
  std::vector<std::string> wanted;
  const auto bytes_max = static_cast<std::size_t>(settings::cache_max_value_kb) * 1024;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    const Settlement &settlement = settlements[i];
    const Call *call = call_of(settlement);
    if (fates[i] != SettleFate::settled || !settlement.is_reusable || call == nullptr) continue;
    if (catalog.cache_rule(call->agent_type) == nullptr || settlement.result.size() > bytes_max) continue;
    good.insert_or_assign(call->store_key, std::pair(&settlement, call));
    wanted.push_back(call->store_key);
    stored_.push_back(settlement.id.value);
  }
  if (good.empty()) return;
  for (const std::string &key : locked_keys(wanted)) {
    std::erase(stored_, good.at(key).first->id.value);
    good.erase(key);
  }
  write_answers(catalog, good, now);
}

void AnswerCache::write_answers(const Catalog &catalog,
                                const std::map<std::string, std::pair<const Settlement *, const Call *>> &answers,
                                Now now) {
  if (answers.empty()) return;
  TextColumn keys, types, values, dependencies, agent_types, requests, providers, models, costs;
  NumberColumn created_at, expires_at, kept_until, inputs, outputs;
  std::vector<std::optional<UserId>> owners;
  std::deque<std::string> amounts;
  for (const auto &[key, answer] : answers) {
    const Settlement &settlement = *answer.first;
    const Call &call = *answer.second;
    const CacheRule *rule = catalog.cache_rule(call.agent_type);
    const Micros grace =
        std::max(rule->stale_if_error.value_or(Micros{0}), rule->stale_while_revalidate.value_or(Micros{0}));
    keys.emplace_back(call.store_key);
    types.emplace_back(rule->type);
    values.emplace_back(settlement.result);
    owners.push_back(call.owner);
    created_at.emplace_back(from_wall(now.wall));
    expires_at.emplace_back(from_wall(now.wall + rule->ttl));
    kept_until.emplace_back(from_wall(now.wall + rule->ttl + grace));
    dependencies.push_back(or_null(call.dependencies));
    agent_types.emplace_back(call.agent_type);
    requests.push_back(or_null(call.request));
    providers.push_back(or_null(settlement.provider));
    models.push_back(or_null(settlement.model));
    const UsageRecord *usage = settlement.usage ? &*settlement.usage : nullptr;
    inputs.push_back(usage != nullptr ? std::optional(usage->usage.input_total()) : std::nullopt);
    outputs.push_back(usage != nullptr ? std::optional(usage->usage.output) : std::nullopt);
    if (usage != nullptr && usage->cost) amounts.push_back(usage->cost->to_string());
    costs.push_back(usage != nullptr && usage->cost ? std::optional<std::string_view>(amounts.back()) : std::nullopt);
  }
  DatumValue columns[] = {text_array(keys),
                          text_array(types),
                          text_array(values),
                          uuid_array(owners),
                          timestamptz_array(created_at),
                          timestamptz_array(expires_at),
                          timestamptz_array(kept_until),
                          text_array(dependencies),
                          text_array(agent_types),
                          text_array(requests),
                          text_array(providers),
                          text_array(models),
                          int8_array(inputs),
                          int8_array(outputs),
                          text_array(costs)};
  statements_->store_answers.run(columns, keys.size());
}

}  // namespace agent_queue::pg
