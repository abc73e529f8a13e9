// What is known of a model beside its price: agent_models, with the dates that it holds for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/time.hpp"
#include "core/cost/dated_table.hpp"

namespace agent_queue {

// agent_models.capability, agent_types.complexity: a model can do what is not above it.
enum class Capability { low, medium, high };

inline const char *capability_name(Capability capability) {
  switch (capability) {
    case Capability::low:
      return "low";
    case Capability::medium:
      return "medium";
    case Capability::high:
      return "high";
  }
  return "medium";
}

inline std::optional<Capability> capability_of(std::string_view name) {
  for (const Capability capability : {Capability::low, Capability::medium, Capability::high})
    if (name == capability_name(capability)) return capability;
  return std::nullopt;
}

struct ModelInfo {
  std::optional<Capability> capability = {};  // empty: never chosen by capability
  bool reasoning = false;
  std::optional<std::int64_t> context_tokens = {};     // input and output together; empty: unknown
  std::optional<std::int64_t> max_output_tokens = {};  // empty: unknown
  WallTime valid_from{};
  std::optional<WallTime> valid_to = {};  // exclusive; empty: still valid
};

using ModelTable = DatedTable<ModelInfo>;

}  // namespace agent_queue
