#include "pg/store/catalog_loader.hpp"

#include <string>
#include <utility>

#include "core/cache/cache_key.hpp"
#include "pg/store/catalog_sql.hpp"
#include "pg/wrap/cells.hpp"
#include "pg/wrap/spi.hpp"

namespace agent_queue::pg {

namespace {

std::string text_or_empty(const Cell &cell) {
  return cell.value_or(std::string());
}

Micros micros(const Cell &cell) {
  return Micros{whole(cell)};
}

bool flag(const Cell &cell) {
  return cell == "t";
}

std::optional<PricePerMtok> price(const Cell &cell) {
  if (!cell) return std::nullopt;
  const Result<PricePerMtok> parsed = PricePerMtok::parse(*cell);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

Json json_or_null(const Cell &cell) {
  if (!cell) return nullptr;
  Result<Json> parsed = parse_json(*cell);
  return parsed ? std::move(*parsed) : Json(nullptr);
}

// Empty where max_requests is NULL.
std::optional<RateLimit> rate_limit(const Cell &max_requests, const Cell &window_seconds) {
  if (!max_requests) return std::nullopt;
  return RateLimit{.max_requests = static_cast<int>(whole(max_requests)),
                   .window = std::chrono::seconds(whole(window_seconds, 60))};
}

void read_dependencies(CacheRule &rule, const Cell &array) {
  const Json entries = json_or_null(array);
  for (std::size_t i = 0; i < entries.size() && rule.depends_on_error.empty(); ++i) {
    const std::string which = "entry " + std::to_string(i + 1);
    if (!entries[i].is_string()) {
      rule.depends_on_error = which + " is no text";
      continue;
    }
    Result<TextTemplate> parsed = TextTemplate::parse(entries[i].get_ref<const std::string &>());
    if (parsed)
      rule.depends_on.push_back(std::move(*parsed));
    else
      rule.depends_on_error = which + ": " + parsed.error().message;
  }
}

// Of a row of agent_types with a cache_type; its definition comes later, when the routes are there.
CacheRule cache_rule(const TextRow &row, const Catalog &catalog) {
  CacheRule rule;
  rule.type = text_or_empty(row[23]);
  rule.scope = row[24] == "shared" ? CacheScope::shared : CacheScope::user;
  rule.ttl = catalog.cache_ttl(rule.type);
  read_dependencies(rule, row[25]);
  if (row[26]) rule.stale_if_error = micros(row[26]);
  if (row[27]) rule.stale_while_revalidate = micros(row[27]);
  rule.refresh = flag(row[28]);
  rule.predictor = text_or_empty(row[29]);
  return rule;
}

AgentType agent_type(const TextRow &row, const Catalog &catalog) {
  AgentType type;
  type.name = text_or_empty(row[0]);
  type.queue = text_or_empty(row[1]);
  type.system_prompt = text_or_empty(row[2]);
  if (row[3]) {
    Result<TextTemplate> parsed = TextTemplate::parse(*row[3]);
    type.template_bytes = row[3]->size();
    if (parsed)
      type.prompt_template = std::move(*parsed);
    else
      type.prompt_template_error = parsed.error().message;
  }
  if (row[4]) type.result_template = json_or_null(row[4]);
  type.params = json_or_null(row[5]);
  type.priority = static_cast<int>(whole(row[6], 5));
  type.max_output_tokens = static_cast<int>(whole(row[7], 1024));
  type.request_timeout = micros(row[8]);
  type.expires_in = row[9] ? std::optional(micros(row[9])) : std::nullopt;
  type.max_retries = static_cast<int>(whole(row[10], 3));
  type.retry_base = micros(row[11]);
  type.on_uncertain = row[12] == "fail" ? OnUncertain::fail : OnUncertain::retry;
  type.stream = flag(row[13]);
  type.stream_interval = row[14] ? std::optional(micros(row[14])) : std::nullopt;
  type.stream_notify = flag(row[15]);
  type.endpoint = text_or_empty(row[16]);
  type.rate = rate_limit(row[17], row[18]);
  type.complexity = capability_of(text_or_empty(row[19])).value_or(Capability::medium);
  type.requires_reasoning = flag(row[20]);
  type.compress = flag(row[21]);
  type.compress_language = text_or_empty(row[22]);
  if (row[23]) type.cache = cache_rule(row, catalog);
  return type;
}

Provider provider(const TextRow &row) {
  Provider made;
  made.name = text_or_empty(row[0]);
  made.wire_format = text_or_empty(row[1]);
  made.base_url = text_or_empty(row[2]);
  while (!made.base_url.empty() && made.base_url.back() == '/') made.base_url.pop_back();
  made.api_key_ref = text_or_empty(row[3]);
  const Json headers = json_or_null(row[4]);
  if (headers.is_object())
    for (const auto &[name, value] : headers.items())
      if (value.is_string()) made.headers.push_back({name, value.get<std::string>()});
  made.timeouts.connect = micros(row[5]);
  made.timeouts.first_byte = micros(row[6]);
  made.timeouts.idle = micros(row[7]);
  made.enabled = flag(row[8]);
  made.dialect = text_or_empty(row[9]);
  return made;
}

Queue queue(const TextRow &row) {
  Queue made;
  made.name = text_or_empty(row[0]);
  made.paused = flag(row[1]);
  if (row[2]) made.concurrency = static_cast<int>(whole(row[2], 0));
  if (row[3]) made.retention.keep_completed = whole(row[3]);
  if (row[4]) made.retention.keep_failed = whole(row[4]);
  if (row[5]) made.retention.keep_for = micros(row[5]);
  made.rate = rate_limit(row[6], row[7]);
  return made;
}

Tier tier(const TextRow &row) {
  Tier made;
  made.allowance.daily_requests = whole_or_null(row[1]);
  made.allowance.cost = {
      .daily = usd_or_null(row[2]), .monthly = usd_or_null(row[3]), .on_limit = on_limit_of(text_or_empty(row[4]))};
  made.allowance.concurrency = whole_or_null(row[5]);
  made.allowance.weight = static_cast<int>(whole(row[6], 100));
  made.allowance.is_unlimited = flag(row[7]);
  return made;
}

void add_budget(Budgets &budgets, const TextRow &row) {
  const CostLimits limits{
      .daily = usd_or_null(row[2]), .monthly = usd_or_null(row[3]), .on_limit = on_limit_of(text_or_empty(row[4]))};
  if (row[0] == "all") budgets.all = limits;
  if (row[0] == "tier") budgets.tiers.emplace(text_or_empty(row[1]), limits);
  if (row[0] == "agent_type") budgets.agent_types.emplace(text_or_empty(row[1]), limits);
}

// A row of agent_models says what a model costs and what it can do.
void add_model(Catalog &catalog, const TextRow &row) {
  const std::string provider_name = text_or_empty(row[0]);
  const std::string model = text_or_empty(row[1]);
  Price cost;
  cost.input = price(row[2]);
  cost.cached_input = price(row[3]);
  cost.cache_write = price(row[4]);
  cost.output = price(row[5]);
  cost.valid_from = WallTime{micros(row[6])};
  if (row[7]) cost.valid_to = WallTime{micros(row[7])};
  cost.cache_write_1h = price(row[8]);
  ModelInfo info{.valid_from = cost.valid_from, .valid_to = cost.valid_to};
  info.capability = capability_of(text_or_empty(row[9]));
  info.reasoning = flag(row[10]);
  if (row[11]) info.context_tokens = whole(row[11]);
  if (row[12]) info.max_output_tokens = whole(row[12]);
  catalog.prices.add(provider_name, model, cost);
  catalog.models.add(provider_name, model, info);
}

}  // namespace

std::shared_ptr<const Catalog> load_catalog(const Installation &where) {
  auto catalog = std::make_shared<Catalog>();
  for (const TextRow &row : query_rows(render_sql(sql::kCacheTypes, where)))
    catalog->cache_ttls.emplace(text_or_empty(row[0]), micros(row[1]));
  for (const TextRow &row : query_rows(render_sql(sql::kAgentTypes, where)))
    catalog->agent_types.emplace(text_or_empty(row[0]), agent_type(row, *catalog));
  for (const TextRow &row : query_rows(render_sql(sql::kRoutes, where))) {
    const auto type = catalog->agent_types.find(text_or_empty(row[0]));
    if (type == catalog->agent_types.end()) continue;  // routes may be written before their type
    type->second.routes.push_back({.position = static_cast<int>(whole(row[1], 1)),
                                   .provider = text_or_empty(row[2]),
                                   .model = text_or_empty(row[3]),
                                   .weight = static_cast<int>(whole(row[4], 100))});
  }
  for (auto &[name, type] : catalog->agent_types)
    if (type.cache) type.cache->definition = definition_digest(type);
  for (const TextRow &row : query_rows(render_sql(sql::kProviders, where)))
    catalog->providers.emplace(text_or_empty(row[0]), provider(row));
  for (const TextRow &row : query_rows(render_sql(sql::kQueues, where)))
    catalog->queues.emplace(text_or_empty(row[0]), queue(row));
  for (const TextRow &row : query_rows(render_sql(sql::kModels, where))) add_model(*catalog, row);
  for (const TextRow &row : query_rows(render_sql(sql::kTiers, where)))
    catalog->tiers.emplace(text_or_empty(row[0]), tier(row));
  for (const TextRow &row : query_rows(render_sql(sql::kLimits, where))) {
    const auto found = catalog->tiers.find(text_or_empty(row[0]));
    const std::optional<RateLimit> limit = rate_limit(row[2], row[3]);
    if (found != catalog->tiers.end() && limit) found->second.limits.emplace(text_or_empty(row[1]), *limit);
  }
  for (const TextRow &row : query_rows(render_sql(sql::kBudgets, where))) add_budget(catalog->budgets, row);
  for (const TextRow &row : query_rows(render_sql(sql::kReplacements, where)))
    for (const std::string &language : {text_or_empty(row[0]), std::string()})
      catalog->phrases[language].add(text_or_empty(row[1]), text_or_empty(row[2]));
  return catalog;
}

}  // namespace agent_queue::pg
