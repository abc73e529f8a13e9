// estimate_cost(): tokens and money of a prompt before it is sent, by what was counted for the model until now. Prices
// come out of the configuration, the counts from a table that is nobody's to read, with the owner's rights. Regime:
// guarded C++. Tested in sql/estimate.sql and test/tap/320_estimates.pl.
#include <optional>
#include <string>

#include "core/catalog/model_choice.hpp"
#include "core/cost/token_ratio.hpp"
#include "core/prompt/letters.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/similar_names.hpp"
#include "pg/api/text_argument.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/config_cache.hpp"
#include "pg/wrap/cells.hpp"
#include "pg/wrap/identity.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/schema_plan.hpp"
#include "pg/wrap/search_path.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr int kOutputTokensMax = 1'000'000;

// $1 provider, $2 model
constexpr const char *kRatio = R"(
  SELECT prompt_chars, input_tokens, output_tokens FROM @s@.agent_token_ratios WHERE provider = $1 AND model = $2)";

[[noreturn]] void refuse_unknown(const Catalog &catalog, const std::string &name, WallTime now) {
  NameMap<bool> known;
  catalog.prices.each(now, [&](std::string_view provider, std::string_view model, const Price *) {
    known[std::string(provider) + "/" + std::string(model)] = true;
  });
  raise(sqlstate("42704"),
        {.message = to_server_encoding("model \"" + name + "\" does not exist"),
         .detail = known.empty() ? "The table agent_models is empty."
                                 : to_server_encoding("There are: " + similar_names(known, name) + "."),
         .hint = "Write provider/model, or insert the model into the table agent_models; a price of "
                 "NULL is unknown."});
}

[[noreturn]] void refuse_ambiguous(const std::string &name, const std::vector<Target> &models) {
  std::string names;
  for (const Target &target : models)
    names += (names.empty() ? "\"" : ", \"") + std::string(target.provider) + "/" + std::string(target.model) + "\"";
  raise(sqlstate("42725"), {.message = to_server_encoding("model \"" + name + "\" is not unique"),
                            .detail = to_server_encoding("Several providers have it: " + names + "."),
                            .hint = "Write provider/model."});
}

Target find_model(const Catalog &catalog, const std::string &name, WallTime now) {
  const std::vector<Target> models = models_named(catalog, name, now);
  if (models.empty()) refuse_unknown(catalog, name, now);
  if (models.size() > 1) refuse_ambiguous(name, models);
  return models.front();
}

std::optional<int> expected_output(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(2)) return std::nullopt;
  const int expected = PG_GETARG_INT32(2);
  if (expected < 0 || expected > kOutputTokensMax)
    raise(sqlstate("22023"),
          {.message = "expected_output_tokens is " + std::to_string(expected) + ", which is not from 0 to 1000000",
           .detail = {},
           .hint = "NULL estimates them, too."});
  return expected;
}

// POD only.
Datum text_datum(const char *bytes, int size) {
  return PointerGetDatum(cstring_to_text_with_len(bytes, size));
}

TokenRatio read_ratio(const Target &target) {
  static auto *plan = new SchemaPlan(kRatio, {TEXTOID, TEXTOID});
  const Installation &where = installation();
  const std::string provider = to_server_encoding(std::string(target.provider));
  const std::string model = to_server_encoding(std::string(target.model));
  const ActAs owner(where.owner);
  const LockedSearchPath path;  // else the caller's operators would be called with the owner's rights
  SpiScope spi;
  Datum values[2];
  guard([&] {
    values[0] = text_datum(provider.data(), static_cast<int>(provider.size()));
    values[1] = text_datum(model.data(), static_cast<int>(model.size()));
  });
  plan->at(where).run(values, nullptr, KeptPlan::Mode::read_only);
  TokenRatio ratio;
  for (const TextRow &row : read_text_rows()) {
    ratio.letters = whole(row[0]);
    ratio.input_tokens = whole(row[1]);
    ratio.output_tokens = whole(row[2]);
  }
  return ratio;
}

// POD only. `cost` may be null.
Datum make_row(FunctionCallInfo fcinfo, TokenEstimate tokens, const char *cost) {
  TupleDesc description = nullptr;
  get_call_result_type(fcinfo, nullptr, &description);
  Datum values[] = {Int64GetDatum(tokens.input), Int64GetDatum(tokens.output),
                    cost == nullptr ? Datum{0} : numeric_datum(cost)};
  bool nulls[] = {false, false, cost == nullptr};
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls));
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_estimate_cost) {
  using namespace agent_queue;
  using namespace agent_queue::pg;
  const std::string prompt = prompt_argument(fcinfo, 0, "prompt");
  const std::string name = text_argument(fcinfo, 1, "model");
  const std::optional<int> expected = expected_output(fcinfo);
  const std::shared_ptr<const Catalog> catalog = current_catalog();
  const WallTime now = to_wall(GetCurrentTimestamp());
  const Target target = find_model(*catalog, name, now);

  TokenEstimate tokens = read_ratio(target).estimate(static_cast<std::int64_t>(count_letters(prompt)));
  if (expected) tokens.output = *expected;
  const Price *price = catalog->prices.find(target.provider, target.model, now);
  const std::optional<Usd> cost = cost_of({.input = tokens.input, .output = tokens.output}, price);
  const std::string decimal = cost ? cost->to_string() : std::string();
  const char *digits = cost ? decimal.c_str() : nullptr;
  return guard([&] { return make_row(fcinfo, tokens, digits); });
}
