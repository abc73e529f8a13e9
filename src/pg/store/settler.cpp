#include "pg/store/settler.hpp"

#include <algorithm>
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

using StartOfJob = std::unordered_map<std::int64_t, WallTime>;

// From the last statement: rows of (id, ctid, started_at).
StartOfJob read_starts() {
  StartOfJob starts;
  for (const OwnRow &row : read_own_rows()) starts.emplace(row.id, to_wall(row.started_at));
  return starts;
}

bool is_among(const StartOfJob &starts, const Settlement &settlement) {
  const auto it = starts.find(settlement.id.value);
  return it != starts.end() && it->second == settlement.started_at;
}

double milliseconds_of(Micros time) {
  return static_cast<double>(time.count()) / 1000.0;
}

NumberColumn ids_of(const std::vector<const Settlement *> &settlements) {
  NumberColumn ids;
  ids.reserve(settlements.size());
  for (const Settlement *settlement : settlements) ids.emplace_back(settlement->id.value);
  return ids;
}

}  // namespace

std::vector<SettleFate> Settler::settle(Statements &statements, const Catalog &catalog,
                                        std::span<const Settlement> settlements, Now now,
                                        std::vector<EndedJob> &ended) {
  std::vector<SettleFate> fates(settlements.size(), SettleFate::orphaned);
  // Those for which a stale answer stands in have their end by it.
  const std::vector<bool> has_stand_in = answers_.stand_in(catalog, settlements, now, ended);
  Refs all;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    if (has_stand_in[i])
      fates[i] = SettleFate::settled;
    else
      all.push_back(&settlements[i]);
  }
  const std::vector<bool> written = all.empty() ? std::vector<bool>() : write(statements, all);
  Refs left;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (written[i])
      fates[static_cast<std::size_t>(all[i] - settlements.data())] = SettleFate::settled;
    else
      left.push_back(all[i]);
  }
  if (!left.empty()) judge(statements, left, settlements, fates);

  Refs billed;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    const Settlement &settlement = settlements[i];
    if (fates[i] != SettleFate::kept && settlement.usage) billed.push_back(&settlement);
    if (fates[i] == SettleFate::settled && is_end(settlement.outcome) && !has_stand_in[i])
      ended.push_back({settlement.id, status_of(settlement.outcome), settlement.result});
  }
  if (!billed.empty()) write_usage(statements, billed);
  answers_.store(catalog, settlements, fates, now);
  return fates;
}

// A row that was changed since the statement's snapshot was taken is written by a second one, while it is locked; a row
// that is not even then is kept as it is by a trigger. What cannot be locked and is still ours is somebody else's for
// now. All others are gone or another's.
void Settler::judge(Statements &statements, const Refs &left, std::span<const Settlement> settlements,
                    std::vector<SettleFate> &fates) {
  DatumValue values[] = {int8_array(ids_of(left)), uuid_datum(claim_bytes(claim_))};
  statements.lock_settled.run(values, nullptr, KeptPlan::Mode::read_write);
  const StartOfJob locked = read_starts();
  Refs again;
  for (const Settlement *settlement : left)
    if (is_among(locked, *settlement)) again.push_back(settlement);
  if (!again.empty()) {
    const std::vector<bool> written = write(statements, again);
    check_all_updated(static_cast<std::size_t>(std::count(written.begin(), written.end(), true)), again.size());
  }
  statements.still_ours.run(values, nullptr, KeptPlan::Mode::read_only);
  const StartOfJob ours = read_starts();
  for (const Settlement *settlement : left) {
    SettleFate &fate = fates[static_cast<std::size_t>(settlement - settlements.data())];
    if (is_among(locked, *settlement))
      fate = SettleFate::settled;
    else if (is_among(ours, *settlement))
      fate = SettleFate::kept;
  }
}

std::vector<bool> Settler::write(Statements &statements, const Refs &settlements) {
  const std::size_t count = settlements.size();
  TextColumn status(count), result(count), error_code(count), error_message(count), wait_reason(count);
  TextColumn provider(count), model(count), cost(count);
  NumberColumn started_at(count), run_at(count), completed_at(count), input(count), output(count);
  std::vector<std::int32_t> attempts(count);
  std::vector<std::string> costs(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Settlement &settlement = *settlements[i];
    started_at[i] = from_wall(settlement.started_at);
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
  DatumValue values[] = {int8_array(ids_of(settlements)),
                         timestamptz_array(started_at),
                         text_array(status),
                         text_array(result),
                         text_array(error_code),
                         text_array(error_message),
                         int4_array(attempts),
                         timestamptz_array(run_at),
                         text_array(wait_reason),
                         text_array(provider),
                         text_array(model),
                         int8_array(input),
                         int8_array(output),
                         text_array(cost),
                         timestamptz_array(completed_at),
                         uuid_datum(claim_bytes(claim_))};
  statements.settle.run(values, count);
  const StartOfJob written = read_starts();
  std::vector<bool> is_written(count);
  for (std::size_t i = 0; i < count; ++i) is_written[i] = is_among(written, *settlements[i]);
  return is_written;
}

void Settler::write_usage(Statements &statements, const Refs &settlements) {
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
  statements.usage.run(values, count);
}

}  // namespace agent_queue::pg
