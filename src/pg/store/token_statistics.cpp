#include "pg/store/token_statistics.hpp"

#include <optional>

#include "pg/boundary/errors.hpp"
#include "pg/store/token_statistics_sql.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/cells.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/schema_plan.hpp"
#include "pg/wrap/timestamps.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr Micros kFoldInterval{std::chrono::seconds(2)};
constexpr std::size_t kNotedMax = 20'000;  // statistics do not need more between two folds

// In order of the names: two columns for unnest().
template <typename Map>
std::pair<DatumValue, DatumValue> name_columns(const Map &models) {
  std::vector<std::optional<std::string_view>> providers;
  std::vector<std::optional<std::string_view>> names;
  for (const auto &[model, value] : models) {
    providers.emplace_back(model.first);
    names.emplace_back(model.second);
  }
  return {text_array(providers), text_array(names)};
}

}  // namespace

void TokenStatistics::note(std::span<const Settlement> settlements, const std::vector<SettleFate> &fates) {
  for (std::size_t i = 0; i < fates.size(); ++i) {
    const std::optional<UsageRecord> &usage = settlements[i].usage;
    if (fates[i] == SettleFate::kept || !usage || usage->prompt_letters <= 0 || count_ >= kNotedMax) continue;
    ++count_;
    noted_[{usage->provider, usage->model}].push_back(
        {usage->prompt_letters, usage->usage.input_total(), usage->usage.output});
  }
}

void TokenStatistics::fold_if_due(Now now) {
  if (noted_.empty() || now.steady < next_fold_) return;
  next_fold_ = now.steady + kFoldInterval;
  try {
    Transaction transaction;
    transaction.become(installation().owner);
    const Ratios known = read_known();
    Ratios added;
    for (const auto &[model, samples] : noted_) {
      const auto found = known.find(model);
      TokenRatio ratio = found == known.end() ? TokenRatio{} : found->second;
      const TokenRatio before = ratio;
      for (const Sample &sample : samples) ratio.learn(sample.letters, sample.input_tokens, sample.output_tokens);
      added.emplace(model, ratio - before);
    }
    write(added, now);
    transaction.commit();
  } catch (PgError &error) {
    if (error.is_cancel_or_shutdown()) throw;
    log_.write(LogLevel::debug, std::string("token statistics have to wait: ") + error.what());
    return;
  }
  noted_.clear();
  count_ = 0;
}

TokenStatistics::Ratios TokenStatistics::read_known() const {
  static auto *plan = new SchemaPlan(sql::kTokenRatios, {TEXTARRAYOID, TEXTARRAYOID});
  const auto [providers, models] = name_columns(noted_);
  DatumValue values[] = {providers, models};
  plan->at(installation()).run(values, nullptr, KeptPlan::Mode::read_only);
  Ratios known;
  for (const TextRow &row : read_text_rows()) {
    TokenRatio &ratio = known[{row[0].value_or(""), row[1].value_or("")}];
    ratio.samples = whole(row[2]);
    ratio.letters = whole(row[3]);
    ratio.input_tokens = whole(row[4]);
    ratio.output_tokens = whole(row[5]);
  }
  return known;
}

void TokenStatistics::write(const Ratios &added, Now now) const {
  static auto *plan =
      new SchemaPlan(sql::kAddTokenRatios, {TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
                                            INT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, TIMESTAMPTZOID});
  std::vector<std::optional<std::int64_t>> samples, letters, input, output;
  std::vector<std::optional<double>> input_error, output_error;
  for (const auto &[model, ratio] : added) {
    samples.emplace_back(ratio.samples);
    letters.emplace_back(ratio.letters);
    input.emplace_back(ratio.input_tokens);
    output.emplace_back(ratio.output_tokens);
    input_error.emplace_back(ratio.input_error);
    output_error.emplace_back(ratio.output_error);
  }
  const auto [providers, models] = name_columns(added);
  DatumValue values[] = {providers,
                         models,
                         int8_array(samples),
                         int8_array(letters),
                         int8_array(input),
                         int8_array(output),
                         float8_array(input_error),
                         float8_array(output_error),
                         TimestampTzGetDatum(from_wall(now.wall))};
  plan->at(installation()).run(values, nullptr, KeptPlan::Mode::read_write);
}

}  // namespace agent_queue::pg
