// The cheapest model that can do a job: what select_optimal_model() answers, and where a route "auto" leads. Pure.
// Tested in test/unit/model_choice_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "core/base/usd.hpp"
#include "core/catalog/catalog.hpp"

namespace agent_queue {

// The word in agent_routes that leaves the choice of the model, or of the provider too, to us.
inline constexpr std::string_view kAuto = "auto";

struct ModelNeeds {
  Capability capability = Capability::medium;
  bool reasoning = false;
  std::optional<std::int64_t> output_tokens = {};  // that the model must be able to write
};

// As many tokens every model writes that is sold. A model that does not say how many it writes is not trusted with
// more.
inline constexpr std::int64_t kOutputTokensOfAll = 4096;

struct ModelChoice {
  Target target;
  Usd per_1k_tokens;  // three tokens of output to four of input; rounded to the femto-dollar
};

// Of the enabled provider, or of all (kAuto), the cheapest model that has the needs and a known price at `at`; of
// equally cheap ones the first by provider and name. Empty: there is none.
std::optional<ModelChoice> choose_model(const Catalog &catalog, const ModelNeeds &needs, std::string_view provider,
                                        WallTime at);

// Which models a name means: "provider/model" the one of the price list; a model's name alone those of the providers
// that have a known price for it at `at`, else of all that have it. In the order of the providers.
std::vector<Target> models_named(const Catalog &catalog, std::string_view name, WallTime at);

// What the models of a type's routes "auto" must be able to do.
ModelNeeds needs_of(const AgentType &type);

// Where a route leads: to what it names, or to the choice that it leaves to us. Empty: there is no such model.
std::optional<Target> resolve_route(const Catalog &catalog, const AgentType &type, const Route &route, WallTime at);

// Why no route of the type can be used, for the job's error_message.
std::string explain_no_target(const AgentType &type);

}  // namespace agent_queue
