// One agent type for each way in which a job's path differs.
#include "sim/sim_catalog.hpp"

#include <utility>
#include <vector>

namespace agent_queue::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Provider make_provider(const std::string &name, const std::string &format, const std::string &key) {
  Provider provider;
  provider.name = name;
  provider.wire_format = format;
  provider.base_url = "https://" + name + ".example/v1";
  provider.api_key_ref = key;
  provider.timeouts.first_byte = seconds(5);
  return provider;
}

AgentType make_type(const std::string &name, std::vector<Route> routes) {
  AgentType type;
  type.name = name;
  type.queue = "agents";
  type.retry_base = milliseconds(200);
  type.routes = std::move(routes);
  return type;
}

void add(Catalog &catalog, AgentType type) {
  catalog.agent_types[type.name] = std::move(type);
}

void add_price(Catalog &catalog, const std::string &provider, const std::string &model) {
  Price price;
  price.input = PricePerMtok{150'000'000};
  price.output = PricePerMtok{600'000'000};
  price.valid_from = WallTime{};
  catalog.prices.add(provider, model, price);
}

void add_types(Catalog &catalog, const SimConfig &config) {
  std::vector<Route> routes = {{.position = 1, .provider = "first", .model = "m-1"}};
  if (config.has_fallback) routes.push_back({.position = 2, .provider = "second", .model = "m-2"});
  add(catalog, make_type("plain", routes));
  add(catalog, make_type("weighted", {{.position = 1, .provider = "first", .model = "m-1", .weight = 30},
                                      {.position = 1, .provider = "second", .model = "no-price", .weight = 70}}));
  AgentType frugal = make_type("frugal", routes);
  frugal.on_uncertain = OnUncertain::fail;
  add(catalog, frugal);
  if (config.has_fickle_type) add(catalog, make_type("fickle", routes));
  AgentType streamed = make_type("streamed", routes);
  streamed.stream = true;
  streamed.stream_interval = milliseconds(200);
  add(catalog, streamed);
  AgentType templated = make_type("templated", routes);
  templated.prompt_template = *TextTemplate::parse("Translate {{text}} to {{lang}}");
  templated.result_template = *parse_json(R"({"translation": "{{text}}", "as_json": "{{json}}"})");
  add(catalog, templated);
  AgentType echo = make_type("echo", {{.position = 1, .provider = "echo", .model = "echo"}});
  echo.queue = "reports";
  add(catalog, echo);
  add(catalog, make_type("keyless", {{.position = 1, .provider = "keyless", .model = "m-1"}}));
  AgentType broken = make_type("broken", routes);
  broken.prompt_template_error = "a place is not closed";
  add(catalog, broken);
}

}  // namespace

std::shared_ptr<const Catalog> make_catalog(const SimConfig &config) {
  auto catalog = std::make_shared<Catalog>();
  catalog->providers["first"] = make_provider("first", "openai", "env:KEY");
  catalog->providers["first"].enabled = config.is_first_enabled;
  catalog->providers["second"] = make_provider("second", "openai", "");
  catalog->providers["keyless"] = make_provider("keyless", "openai", "env:NO_SUCH_KEY");
  catalog->providers["echo"] = make_provider("echo", "echo", "");
  catalog->queues["agents"] = Queue{.name = "agents", .paused = config.is_paused};
  catalog->queues["reports"] = Queue{.name = "reports"};
  add_types(*catalog, config);
  add_price(*catalog, "first", "m-1");
  add_price(*catalog, "second", "m-2");
  add_price(*catalog, "echo", "echo");
  return catalog;
}

Result<std::string> SimSecrets::resolve(std::string_view api_key_ref) {
  if (api_key_ref.empty()) return std::string();
  if (api_key_ref == "env:KEY") return std::string(kSimKey);
  return Error{ErrorKind::not_found, "environment variable is not set", ""};
}

}  // namespace agent_queue::sim
