// Questions to the configuration. Tested in test/unit/catalog_test.cpp.
#include "core/catalog/catalog.hpp"

#include "core/base/mix.hpp"

namespace agent_queue {
namespace {

bool is_usable(const Catalog &catalog, const Route &route) {
  if (route.weight <= 0) return false;
  const Provider *provider = catalog.provider(route.provider);
  return provider != nullptr && provider->enabled;
}

}  // namespace

const AgentType *Catalog::agent_type(std::string_view name) const {
  return find_name(agent_types, name);
}

const Provider *Catalog::provider(std::string_view name) const {
  return find_name(providers, name);
}

bool Catalog::is_open(std::string_view queue) const {
  const Queue *known = find_name(queues, queue);
  return known == nullptr || !known->paused;
}

const Route *choose_route(const Catalog &catalog, const AgentType &type, JobId id, int attempt) {
  const Route *first = nullptr;
  std::uint64_t weights = 0;
  for (const Route &route : type.routes) {
    if ((first != nullptr && route.position > first->position) || !is_usable(catalog, route)) continue;
    if (first == nullptr || route.position < first->position) {
      first = &route;
      weights = 0;
    }
    weights += static_cast<std::uint64_t>(route.weight);
  }
  if (first == nullptr || weights == static_cast<std::uint64_t>(first->weight)) return first;

  std::uint64_t ticket =
      mix(static_cast<std::uint64_t>(id.value), static_cast<std::uint64_t>(static_cast<std::int64_t>(attempt))) %
      weights;
  for (const Route &route : type.routes) {
    if (route.position != first->position || !is_usable(catalog, route)) continue;
    const auto weight = static_cast<std::uint64_t>(route.weight);
    if (ticket < weight) return &route;
    ticket -= weight;
  }
  return first;
}

}  // namespace agent_queue
