// How the configuration is read. Locks: AccessShare on the configuration tables. "@s@" is the extension's schema.
#pragma once

namespace agent_queue::pg::sql {

inline constexpr const char *kAgentTypes = R"(
  SELECT name, queue, coalesce(system_prompt, ''), prompt_template, result_template, params, priority,
         max_output_tokens, (extract(epoch FROM request_timeout) * 1000000)::bigint,
         (extract(epoch FROM expires_in) * 1000000)::bigint, max_retries,
         (extract(epoch FROM retry_base) * 1000000)::bigint, on_uncertain,
         stream, (extract(epoch FROM stream_interval) * 1000000)::bigint, stream_notify, coalesce(endpoint, name),
         max_requests, window_seconds, complexity, requires_reasoning, compress, coalesce(compress_language, ''),
         CASE WHEN cache_scope <> 'off' THEN cache_type END, cache_scope, to_jsonb(cache_depends_on),
         (extract(epoch FROM stale_if_error) * 1000000)::bigint,
         (extract(epoch FROM stale_while_revalidate) * 1000000)::bigint, cache_refresh, coalesce(cache_predictor, '')
    FROM @s@.agent_types)";

inline constexpr const char *kRoutes = R"(
  SELECT agent_type, position, provider, model, weight
    FROM @s@.agent_routes ORDER BY agent_type, position, provider, model)";

inline constexpr const char *kProviders = R"(
  SELECT name, wire_format, base_url, coalesce(api_key_ref, ''), headers,
         (extract(epoch FROM connect_timeout) * 1000000)::bigint,
         (extract(epoch FROM first_byte_timeout) * 1000000)::bigint,
         (extract(epoch FROM idle_timeout) * 1000000)::bigint, enabled, coalesce(dialect, '')
    FROM @s@.agent_providers)";

// infinity is no number of microseconds: open ends are NULL, open beginnings the year 1.
inline constexpr const char *kModels = R"(
  SELECT provider, model, input_usd_per_mtok, cached_input_usd_per_mtok, cache_write_usd_per_mtok,
         output_usd_per_mtok,
         (extract(epoch FROM CASE WHEN isfinite(valid_from) THEN valid_from ELSE '0001-01-01 00:00+00' END)
          * 1000000)::bigint,
         CASE WHEN isfinite(valid_to) THEN (extract(epoch FROM valid_to) * 1000000)::bigint END,
         cache_write_1h_usd_per_mtok, capability, reasoning, context_tokens, max_output_tokens
    FROM @s@.agent_models)";

inline constexpr const char *kQueues = R"(
  SELECT name, paused, concurrency, keep_completed, keep_failed, (extract(epoch FROM keep_for) * 1000000)::bigint,
         max_requests, window_seconds
    FROM @s@.agent_queues)";

// A row of agent_limits may be there before its tier, and without one: it is not read then.
inline constexpr const char *kTiers = R"(
  SELECT name, daily_requests, daily_cost_usd, monthly_cost_usd, on_limit, concurrency, weight, unlimited
    FROM @s@.agent_tiers)";

inline constexpr const char *kLimits = "SELECT tier, endpoint, max_requests, window_seconds FROM @s@.agent_limits";

inline constexpr const char *kBudgets =
    "SELECT scope, name, daily_cost_usd, monthly_cost_usd, on_limit FROM @s@.agent_budgets";

inline constexpr const char *kCacheTypes =
    "SELECT type, (extract(epoch FROM ttl) * 1000000)::bigint FROM @s@.cache_types";

// In order, because the first of equal phrases of two languages counts where the language is left open.
inline constexpr const char *kReplacements = R"(
  SELECT language, phrase, replacement FROM @s@.prompt_replacements WHERE enabled ORDER BY language, phrase)";

// The tables whose change makes the snapshot old.
inline constexpr const char *kConfigTables[] = {
    "agent_types", "agent_routes", "agent_providers", "agent_models",        "agent_queues",
    "agent_tiers", "agent_limits", "agent_budgets",   "prompt_replacements", "cache_types"};

}  // namespace agent_queue::pg::sql
