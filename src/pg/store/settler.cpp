#include "pg/store/settler.hpp"

#include <optional>
#include <unordered_map>
#include <utility>

#include "pg/store/job_rows.hpp"
#include "pg/store/whole_update.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

using TextColumn = std::vector<std::optional<std::string_view>>;
using NumberColumn = std::vector<std::optional<std::int64_t>>;

const char *status_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::completed:
      return "completed";
    case Outcome::failed:
      return "failed";
    case Outcome::retry:
      return "scheduled";
  }
  return "failed";
}

bool is_end(Outcome outcome) {
  return outcome == Outcome::completed || outcome == Outcome::failed;
}

std::optional<std::string_view> or_null(const std::string &text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

bool is_of(const Settlement &settlement, const OwnRow &row) {
  return to_wall(row.started_at) == settlement.started_at;
}

double milliseconds_of(Micros time) {
  return static_cast<double>(time.count()) / 1000.0;
}

NumberColumn ids_of(std::span<const Settlement> settlements) {
  NumberColumn ids;
  ids.reserve(settlements.size());
  for (const Settlement &settlement : settlements) ids.emplace_back(settlement.id.value);
  return ids;
}

}  // namespace

std::vector<SettleFate> Settler::settle(Statements &statements, std::span<const Settlement> settlements,
                                        std::vector<EndedJob> &ended) {
  std::vector<SettleFate> fates(settlements.size(), SettleFate::orphaned);
  const std::vector<RowPlace> places = lock(statements, settlements, fates);

  std::vector<const Settlement *> ours;
  std::vector<const Settlement *> billed;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    const Settlement &settlement = settlements[i];
    if (fates[i] == SettleFate::settled) ours.push_back(&settlement);
    if (fates[i] != SettleFate::kept && settlement.usage) billed.push_back(&settlement);
    if (fates[i] == SettleFate::settled && is_end(settlement.outcome))
      ended.push_back({settlement.id, status_of(settlement.outcome), settlement.result});
  }
  if (!ours.empty()) write(statements, ours, places);
  if (!billed.empty()) write_usage(statements, billed);
  return fates;
}

// Places of the settled ones, in the order of the settlements.
std::vector<RowPlace> Settler::lock(Statements &statements, std::span<const Settlement> settlements,
                                    std::vector<SettleFate> &fates) {
  DatumValue values[] = {int8_array(ids_of(settlements)), uuid_datum(claim_bytes(claim_))};
  statements.lock_settled.run(values, nullptr, KeptPlan::Mode::read_write);
  std::unordered_map<std::int64_t, OwnRow> locked;
  for (const OwnRow &row : read_own_rows()) locked.emplace(row.id, row);

  std::vector<RowPlace> places;
  places.reserve(locked.size());
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    const auto it = locked.find(settlements[i].id.value);
    if (it == locked.end() || !is_of(settlements[i], it->second)) continue;
    fates[i] = SettleFate::settled;
    places.push_back(it->second.place);
  }
  if (places.size() == settlements.size()) return places;

  // What was not locked: still ours means that somebody else has it locked; else it is gone or another's.
  statements.still_ours.run(values, nullptr, KeptPlan::Mode::read_only);
  std::unordered_map<std::int64_t, OwnRow> still_ours;
  for (const OwnRow &row : read_own_rows()) still_ours.emplace(row.id, row);
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    const auto it = still_ours.find(settlements[i].id.value);
    const bool is_ours = it != still_ours.end() && is_of(settlements[i], it->second);
    if (fates[i] == SettleFate::orphaned && is_ours) fates[i] = SettleFate::kept;
  }
  return places;
}

void Settler::write(Statements &statements, const std::vector<const Settlement *> &settlements,
                    const std::vector<RowPlace> &places) {
  const std::size_t count = settlements.size();
  TextColumn status(count), result(count), error_code(count), error_message(count), wait_reason(count);
  TextColumn provider(count), model(count), cost(count);
  NumberColumn run_at(count), completed_at(count), input(count), output(count);
  std::vector<std::int32_t> attempts(count);
  std::vector<std::string> costs(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Settlement &settlement = *settlements[i];
    status[i] = status_of(settlement.outcome);
    result[i] = or_null(settlement.result);
    if (settlement.error_code) error_code[i] = error_code_name(*settlement.error_code);
    error_message[i] = or_null(settlement.error_message);
    attempts[i] = settlement.costs_attempt ? 1 : 0;
    if (settlement.outcome == Outcome::retry) {
      run_at[i] = from_wall(settlement.run_at);
      wait_reason[i] = wait_reason_name(settlement.wait_reason);
    }
    if (is_end(settlement.outcome)) completed_at[i] = from_wall(settlement.ended_at);
    provider[i] = or_null(settlement.provider);
    model[i] = or_null(settlement.model);
    if (!settlement.usage) continue;
    input[i] = settlement.usage->usage.input_total();
    output[i] = settlement.usage->usage.output;
    if (settlement.usage->cost) {
      costs[i] = settlement.usage->cost->to_string();
      cost[i] = costs[i];
    }
  }
  DatumValue values[] = {tid_array(places),         text_array(status),
                         text_array(result),        text_array(error_code),
                         text_array(error_message), int4_array(attempts),
                         timestamptz_array(run_at), text_array(wait_reason),
                         text_array(provider),      text_array(model),
                         int8_array(input),         int8_array(output),
                         text_array(cost),          timestamptz_array(completed_at)};
  update_all(statements.settle, values, places.size());
}

void Settler::write_usage(Statements &statements, const std::vector<const Settlement *> &settlements) {
  const std::size_t count = settlements.size();
  NumberColumn id(count), input(count), cache_read(count), cache_write(count), output(count), reasoning(count);
  NumberColumn created_at(count), compressed_tokens(count);
  std::vector<std::int32_t> attempt(count);
  std::vector<std::optional<UserId>> user(count);
  TextColumn agent_type(count), provider(count), model(count), cost(count);
  std::vector<bool> estimated(count);
  std::vector<std::optional<double>> latency_ms(count), first_token_ms(count);
  std::vector<std::string> costs(count);
  for (std::size_t i = 0; i < count; ++i) {
    const UsageRecord &record = *settlements[i]->usage;
    id[i] = settlements[i]->id.value;
    attempt[i] = record.attempt;
    user[i] = record.user_id;
    agent_type[i] = record.agent_type;
    provider[i] = record.provider;
    model[i] = record.model;
    input[i] = record.usage.input;
    cache_read[i] = record.usage.cache_read;
    cache_write[i] = record.usage.cache_write;
    output[i] = record.usage.output;
    reasoning[i] = record.usage.reasoning;
    if (record.cost) {
      costs[i] = record.cost->to_string();
      cost[i] = costs[i];
    }
    estimated[i] = record.estimated;
    latency_ms[i] = milliseconds_of(record.latency);
    if (record.first_token) first_token_ms[i] = milliseconds_of(*record.first_token);
    created_at[i] = from_wall(record.started_at);
    compressed_tokens[i] = record.compressed_tokens;
  }
  DatumValue values[] = {int8_array(id),
                         int4_array(attempt),
                         uuid_array(user),
                         text_array(agent_type),
                         text_array(provider),
                         text_array(model),
                         int8_array(input),
                         int8_array(cache_read),
                         int8_array(cache_write),
                         int8_array(output),
                         int8_array(reasoning),
                         text_array(cost),
                         bool_array(estimated),
                         float8_array(latency_ms),
                         timestamptz_array(created_at),
                         float8_array(first_token_ms),
                         int8_array(compressed_tokens)};
  statements.usage.run(values, nullptr, KeptPlan::Mode::read_write);
}

}  // namespace agent_queue::pg
