// The configuration tables as one immutable snapshot of plain data: agent types, routes, providers, prices, queues,
// tiers and budgets.
// Made by pg/store from SQL, by tests by hand. Shared by pointer; never changed after it was made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/name_map.hpp"
#include "core/base/time.hpp"
#include "core/catalog/cache_rule.hpp"
#include "core/catalog/model_info.hpp"
#include "core/cost/price.hpp"
#include "core/job/job.hpp"
#include "core/limit/allowance.hpp"
#include "core/prompt/compression.hpp"
#include "core/prompt/prompt.hpp"
#include "core/upkeep/retention.hpp"
#include "core/wire/http.hpp"
#include "core/wire/json_read.hpp"

namespace agent_queue {

// agent_routes, one row.
struct Route {
  int position = 1;
  std::string provider;  // kAuto: any
  std::string model;     // kAuto: the cheapest that the agent type can do with, at the time of the claim
  int weight = 100;      // share of the attempts among the routes of one position; 0: none
};

// agent_types, one row, with its routes by position.
struct AgentType {
  std::string name;
  std::string queue;
  std::string system_prompt;
  std::optional<TextTemplate> prompt_template;
  std::size_t template_bytes = 0;     // of prompt_template's source
  std::string prompt_template_error;  // why prompt_template could not be parsed; empty: fine
  std::optional<Json> result_template;
  Json params;  // object or null
  int priority = 5;
  int max_output_tokens = 1024;
  Micros request_timeout{std::chrono::seconds(300)};
  std::optional<Micros> expires_in{std::chrono::minutes(5)};
  int max_retries = 3;
  Micros retry_base{std::chrono::seconds(2)};
  OnUncertain on_uncertain = OnUncertain::retry;
  bool stream = false;                                                    // the answer is asked for piece by piece
  std::optional<Micros> stream_interval{std::chrono::milliseconds(500)};  // between two writes of the text so far
  bool stream_notify = false;                                             // each of them is told of
  std::vector<Route> routes;
  std::string endpoint;                        // whose rate limit applies: agent_types.endpoint, else the name
  std::optional<RateLimit> rate = {};          // of all users together
  Capability complexity = Capability::medium;  // what a model of a route "auto" can do at least
  bool requires_reasoning = false;             // and whether it thinks before it answers
  bool compress = false;                       // prompts are made shorter before they are sent
  std::string compress_language;               // empty: by the phrases of all languages
  std::optional<CacheRule> cache = {};         // empty: answers are not cached
};

// agent_providers, one row.
struct Provider {
  std::string name;
  std::string wire_format;
  std::string dialect;  // of wire format openai; empty: plain
  std::string base_url;
  std::string api_key_ref;  // env:NAME | file:/path | vault:NAME | empty
  std::vector<HttpHeader> headers;
  HttpTimeouts timeouts;  // total is the agent type's
  bool enabled = true;
};

// agent_queues, one row.
struct Queue {
  std::string name;
  bool paused = false;
  std::optional<int> concurrency = {};  // the most of its jobs that are claimed at a time
  RetentionRule retention = {};
  std::optional<RateLimit> rate = {};  // of all users together
};

// agent_tiers, one row, with its rows of agent_limits.
struct Tier {
  Allowance allowance;
  NameMap<RateLimit> limits;  // by endpoint; "*": each that has none of its own
};

// agent_budgets.
struct Budgets {
  CostLimits all;
  NameMap<CostLimits> tiers;
  NameMap<CostLimits> agent_types;
};

struct Catalog {
  NameMap<AgentType> agent_types;
  NameMap<Provider> providers;
  NameMap<Queue> queues;
  PriceTable prices;
  ModelTable models;
  NameMap<Tier> tiers;
  Budgets budgets;
  NameMap<Micros> cache_ttls;   // of cache_types
  NameMap<Phrasebook> phrases;  // of prompt_replacements, by language; "": of all languages together

  // nullptr: there is none of that name.
  const AgentType *agent_type(std::string_view name) const;
  const Provider *provider(std::string_view name) const;

  // "": of all languages. Of a language without a phrase: none.
  const Phrasebook &phrases_of(std::string_view language) const;

  // nullptr: there is no such agent type, or it has no cache.
  const CacheRule *cache_rule(std::string_view agent_type) const;

  // Of values of this cache type.
  Micros cache_ttl(std::string_view cache_type) const;

  // May jobs of this queue be claimed now (it is not paused)? A queue without a row is open.
  bool is_open(std::string_view queue) const;
};

// Where an attempt goes. Views of the catalog's names.
struct Target {
  std::string_view provider;
  std::string_view model;
};

// Of an attempt that is claimed at `at`: of the first position that has a usable route (its provider enabled, its
// weight over 0, a model for it if it is an "auto"); inside it by weight, always the same for the same job and attempt.
// Empty: there is no usable route.
std::optional<Target> choose_target(const Catalog &catalog, const AgentType &type, JobId id, int attempt, WallTime at);

}  // namespace agent_queue
