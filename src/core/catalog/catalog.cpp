// Questions to the configuration. Tested in test/unit/catalog_test.cpp.
#include "core/catalog/catalog.hpp"

#include "core/base/mix.hpp"
#include "core/catalog/model_choice.hpp"

namespace agent_queue {
namespace {

std::optional<Target> usable_target(const Catalog &catalog, const AgentType &type, const Route &route, WallTime at) {
  if (route.weight <= 0) return std::nullopt;
  if (route.model == kAuto) return resolve_route(catalog, type, route, at);
  const Provider *provider = catalog.provider(route.provider);
  if (provider == nullptr || !provider->enabled) return std::nullopt;
  return Target{route.provider, route.model};
}

}  // namespace

const AgentType *Catalog::agent_type(std::string_view name) const {
  return find_name(agent_types, name);
}

const Provider *Catalog::provider(std::string_view name) const {
  return find_name(providers, name);
}

const Phrasebook &Catalog::phrases_of(std::string_view language) const {
  static const Phrasebook kNone;
  const Phrasebook *found = find_name(phrases, language);
  return found == nullptr ? kNone : *found;
}

const CacheRule *Catalog::cache_rule(std::string_view name) const {
  const AgentType *type = agent_type(name);
  return type != nullptr && type->cache ? &*type->cache : nullptr;
}

Micros Catalog::cache_ttl(std::string_view cache_type) const {
  const Micros *ttl = find_name(cache_ttls, cache_type);
  return ttl == nullptr ? kDefaultTtl : *ttl;
}

bool Catalog::is_open(std::string_view queue) const {
  const Queue *known = find_name(queues, queue);
  return known == nullptr || !known->paused;
}

std::optional<Target> choose_target(const Catalog &catalog, const AgentType &type, JobId id, int attempt, WallTime at) {
  struct Choice {
    Target target;
    std::uint64_t weight;
  };
  std::vector<Choice> choices;  // of the position that counts
  int position = 0;
  std::uint64_t weights = 0;
  for (const Route &route : type.routes) {
    if (!choices.empty() && route.position > position) continue;
    const std::optional<Target> target = usable_target(catalog, type, route, at);
    if (!target) continue;
    if (choices.empty() || route.position < position) {
      choices.clear();
      weights = 0;
      position = route.position;
    }
    choices.push_back({*target, static_cast<std::uint64_t>(route.weight)});
    weights += choices.back().weight;
  }
  if (choices.empty()) return std::nullopt;
  if (choices.size() == 1) return choices.front().target;

  std::uint64_t ticket =
      mix(static_cast<std::uint64_t>(id.value), static_cast<std::uint64_t>(static_cast<std::int64_t>(attempt))) %
      weights;
  for (const Choice &choice : choices) {
    if (ticket < choice.weight) return choice.target;
    ticket -= choice.weight;
  }
  return choices.front().target;
}

}  // namespace agent_queue
