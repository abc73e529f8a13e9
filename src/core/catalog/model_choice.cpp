#include "core/catalog/model_choice.hpp"

#include <algorithm>
#include <tuple>

#include "core/catalog/hold.hpp"

namespace agent_queue {

namespace {

bool can(const ModelInfo &model, const ModelNeeds &needs) {
  if (!model.capability || *model.capability < needs.capability) return false;
  if (needs.reasoning && !model.reasoning) return false;
  if (!needs.output_tokens) return true;
  if (model.context_tokens && *model.context_tokens < *needs.output_tokens) return false;
  return *needs.output_tokens <= model.max_output_tokens.value_or(kOutputTokensOfAll);
}

// Nano-dollars of four million tokens of input and three million of output. Empty: a price is unknown.
std::optional<__int128> blended(const Price *price) {
  if (price == nullptr || !price->input || !price->output) return std::nullopt;
  return __int128{4} * price->input->nano_usd + __int128{3} * price->output->nano_usd;
}

// Of seven million tokens in nano-dollars is, of a thousand, one seventh of that in pico-dollars.
Usd per_1k_tokens(__int128 nano_of_7m) {
  return Usd::from_femto((nano_of_7m * 1000 + 3) / 7);
}

}  // namespace

std::optional<ModelChoice> choose_model(const Catalog &catalog, const ModelNeeds &needs, std::string_view provider,
                                        WallTime at) {
  using Rank = std::tuple<__int128, std::string_view, std::string_view>;
  std::optional<Rank> best;
  catalog.models.each(at, [&](std::string_view from, std::string_view model, const ModelInfo *info) {
    if ((provider != kAuto && provider != from) || info == nullptr || !can(*info, needs)) return;
    const Provider *seller = catalog.provider(from);
    if (seller == nullptr || !seller->enabled) return;
    const std::optional<__int128> cost = blended(catalog.prices.find(from, model, at));
    if (cost && (!best || Rank(*cost, from, model) < *best)) best = Rank(*cost, from, model);
  });
  if (!best) return std::nullopt;
  const auto &[cost, from, model] = *best;
  return ModelChoice{{from, model}, per_1k_tokens(cost)};
}

std::vector<Target> models_named(const Catalog &catalog, std::string_view name, WallTime at) {
  std::vector<Target> exact;  // a provider's name may have a slash, and so may a model's
  std::vector<Target> priced;
  std::vector<Target> all;
  catalog.prices.each(at, [&](std::string_view provider, std::string_view model, const Price *price) {
    if (name.size() == provider.size() + 1 + model.size() && name.starts_with(provider) && name.ends_with(model) &&
        name[provider.size()] == '/')
      exact.push_back({provider, model});
    if (name != model) return;
    all.push_back({provider, model});
    if (blended(price)) priced.push_back({provider, model});
  });
  std::vector<Target> &meant = !exact.empty() ? exact : !priced.empty() ? priced : all;
  std::sort(meant.begin(), meant.end(), [](const Target &a, const Target &b) { return a.provider < b.provider; });
  return meant;
}

ModelNeeds needs_of(const AgentType &type) {
  return {
      .capability = type.complexity, .reasoning = type.requires_reasoning, .output_tokens = answer_tokens_bound(type)};
}

std::optional<Target> resolve_route(const Catalog &catalog, const AgentType &type, const Route &route, WallTime at) {
  if (route.model != kAuto) return Target{route.provider, route.model};
  const std::optional<ModelChoice> choice = choose_model(catalog, needs_of(type), route.provider, at);
  if (!choice) return std::nullopt;
  return choice->target;
}

std::string explain_no_target(const AgentType &type) {
  std::string text = "agent type \"" + type.name + "\" has no route to an enabled provider";
  const auto is_auto = [](const Route &route) { return route.model == kAuto; };
  if (std::none_of(type.routes.begin(), type.routes.end(), is_auto)) return text;
  const ModelNeeds needs = needs_of(type);
  text += "; for model \"auto\" a model was looked for with a known price, capability " +
          std::string(capability_name(needs.capability)) + " or higher";
  if (needs.reasoning) text += ", reasoning";
  if (needs.output_tokens) text += ", and " + std::to_string(*needs.output_tokens) + " output tokens";
  return text + ", of a provider that is enabled";
}

}  // namespace agent_queue
