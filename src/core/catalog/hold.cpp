#include "core/catalog/hold.hpp"

#include <algorithm>

#include "core/catalog/model_choice.hpp"

namespace agent_queue {

namespace {

constexpr std::int64_t kOutputTokensMax = 1'000'000'000'000;  // no model writes more; keeps the product in range
constexpr std::int64_t kChoicesMax = 1000;

// How many answers are asked for.
std::int64_t choices_of(const Json &params) {
  const Json *config = json_member(params, "generationConfig");
  const std::int64_t candidates = config == nullptr ? 1 : json_int(*config, "candidateCount").value_or(1);
  return std::clamp<std::int64_t>(std::max(candidates, json_int(params, "n").value_or(1)), 1, kChoicesMax);
}

// What every format takes for the bound: params win over the column. Empty: nothing bounds the output.
std::optional<std::int64_t> common_bound(const AgentType &type) {
  std::optional<std::int64_t> bound;
  bool is_in_params = false;
  for (const std::string_view name : {"max_completion_tokens", "max_tokens"}) {
    const Json *param = json_member(type.params, name);
    if (param == nullptr || param->is_null()) continue;
    is_in_params = true;
    const std::optional<std::int64_t> value = json_int(type.params, name);
    if (value && *value > 0) bound = std::max(bound.value_or(0), std::min(*value, kOutputTokensMax));
  }
  if (!is_in_params && type.max_output_tokens > 0) bound = type.max_output_tokens;
  return bound;
}

// Raises `bound` to what stands in a place that one format prefers; false: "without a bound" stands there.
bool raise_bound(std::int64_t &bound, const Json *object, std::string_view name) {
  const Json *param = object == nullptr ? nullptr : json_member(*object, name);
  if (param == nullptr || param->is_null()) return true;
  const std::optional<std::int64_t> value = json_int(*object, name);
  if (!value || *value <= 0) return false;  // Ollama's -1
  bound = std::max(bound, std::min(*value, kOutputTokensMax));
  return true;
}

// All choices that are asked for are written, and billed.
std::optional<std::int64_t> output_tokens_bound(const AgentType &type) {
  const std::optional<std::int64_t> bound = answer_tokens_bound(type);
  if (!bound) return std::nullopt;
  return *bound * choices_of(type.params);
}

}  // namespace

std::optional<std::int64_t> answer_tokens_bound(const AgentType &type) {
  const std::optional<std::int64_t> common = common_bound(type);
  if (!common) return std::nullopt;
  std::int64_t bound = *common;
  const bool is_bounded = raise_bound(bound, json_member(type.params, "generationConfig"), "maxOutputTokens") &&
                          raise_bound(bound, json_member(type.params, "options"), "num_predict") &&
                          raise_bound(bound, &type.params, "num_predict");
  if (!is_bounded) return std::nullopt;
  return bound;
}

std::size_t prompt_bytes_bound(const AgentType &type, std::size_t request_bytes) {
  // Tools and schemas stand in params and are billed as input.
  const std::size_t params_bytes = type.params.is_object() ? dump_json(type.params).size() : 0;
  // A template may say a field several times.
  const std::size_t times = type.prompt_template ? std::max<std::size_t>(1, type.prompt_template->place_count()) : 1;
  return type.system_prompt.size() + type.template_bytes + params_bytes + request_bytes * times;
}

std::optional<Usd> worst_case_hold(const Catalog &catalog, const AgentType &type, std::size_t request_bytes,
                                   WallTime at) {
  Usd dearest;  // without a route nothing is called
  for (const Route &route : type.routes) {
    const std::optional<Target> target = resolve_route(catalog, type, route, at);
    if (!target) continue;  // an "auto" without a model is never called
    const std::optional<Usd> cost = estimate_attempt(catalog, type, *target, request_bytes, at).cost;
    if (!cost) return std::nullopt;
    dearest = std::max(dearest, *cost);
  }
  return dearest;
}

Estimate estimate_attempt(const Catalog &catalog, const AgentType &type, const Target &target,
                          std::size_t request_bytes, WallTime at) {
  const auto bytes = static_cast<std::int64_t>(prompt_bytes_bound(type, request_bytes));
  Estimate estimate;
  estimate.usage.input = bytes;
  const std::optional<std::int64_t> output = output_tokens_bound(type);
  estimate.usage.output = output.value_or(type.max_output_tokens);
  const Provider *provider = catalog.provider(target.provider);
  if (provider != nullptr && provider->wire_format == "echo")
    estimate.cost = Usd();  // answered inside the worker
  else if (output)
    estimate.cost = worst_case_cost(bytes, *output, catalog.prices.find(target.provider, target.model, at));
  return estimate;
}

}  // namespace agent_queue
