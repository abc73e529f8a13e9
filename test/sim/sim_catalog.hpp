// The configuration that simulated jobs live under, and its changes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/catalog/catalog.hpp"
#include "ports/secrets.hpp"

namespace agent_queue::sim {

// What an administrator may change while jobs run. The defaults are the state in which every job can end.
struct SimConfig {
  bool is_paused = false;        // the queue of most types
  bool has_fallback = true;      // a second route
  bool is_first_enabled = true;  // the first provider
  bool has_fickle_type = true;   // an agent type that comes and goes
};

std::shared_ptr<const Catalog> make_catalog(const SimConfig &config);

// Agent types that jobs are drawn from; "nobody" has never existed.
inline constexpr const char *kAgentTypes[] = {"plain",   "plain",    "plain",    "weighted",  "frugal",
                                              "fickle",  "streamed", "streamed", "templated", "echo",
                                              "keyless", "broken",   "nobody"};

// Knows the key of env:KEY and no other.
class SimSecrets : public Secrets {
 public:
  Result<std::string> resolve(std::string_view api_key_ref) override;
  void forget() override {}
};

inline constexpr std::string_view kSimKey = "sk-simulated-secret-0123456789";

}  // namespace agent_queue::sim
