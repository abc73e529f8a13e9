// select_optimal_model(): the cheapest model that will do, out of the configuration as it is now. Users may ask without
// rights on the tables of the configuration. Regime: guarded C++. Tested in sql/estimate.sql.
#include <string>

#include "core/catalog/model_choice.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/text_argument.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/config_cache.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

Capability capability_argument(FunctionCallInfo fcinfo, int number) {
  const std::string name = text_argument(fcinfo, number, "complexity");
  if (const std::optional<Capability> capability = capability_of(name)) return *capability;
  raise(sqlstate("22023"), {.message = to_server_encoding("complexity \"" + name + "\" is not known"),
                            .detail = {},
                            .hint = "It is low, medium or high."});
}

ModelNeeds read_needs(FunctionCallInfo fcinfo) {
  ModelNeeds needs{.capability = capability_argument(fcinfo, 0), .reasoning = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1)};
  if (!PG_ARGISNULL(2)) needs.output_tokens = PG_GETARG_INT32(2);
  if (needs.output_tokens && *needs.output_tokens < 1)
    raise(sqlstate("22023"),
          {.message = "max_tokens is " + std::to_string(*needs.output_tokens) + ", which is less than 1",
           .detail = {},
           .hint = "NULL asks for no number of tokens."});
  return needs;
}

// POD only.
void put_choice(FunctionCallInfo fcinfo, const char *provider, const char *model, const char *cost) {
  Datum values[] = {CStringGetTextDatum(provider), CStringGetTextDatum(model), numeric_datum(cost)};
  bool nulls[] = {false, false, false};
  ReturnSetInfo *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_select_optimal_model) {
  using namespace agent_queue;
  using namespace agent_queue::pg;
  const ModelNeeds needs = read_needs(fcinfo);
  const std::shared_ptr<const Catalog> catalog = current_catalog();
  guard([&] { InitMaterializedSRF(fcinfo, 0); });
  const std::optional<ModelChoice> choice = choose_model(*catalog, needs, kAuto, to_wall(GetCurrentTimestamp()));
  if (!choice) return 0;
  const std::string provider = to_server_encoding(std::string(choice->target.provider));
  const std::string model = to_server_encoding(std::string(choice->target.model));
  const std::string cost = choice->per_1k_tokens.to_string();
  guard([&] { put_choice(fcinfo, provider.c_str(), model.c_str(), cost.c_str()); });
  return 0;
}
