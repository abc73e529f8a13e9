// The statements of explain_cost(). "@s@" is the extension's schema.
#pragma once

namespace agent_queue::pg::sql {

// With the caller's rights and search_path: what the caller may not see is not there. No row: neither the job nor usage
// of it. $1 id
inline constexpr const char *kSeenUsage = R"(
  SELECT u.ids
    FROM (SELECT pg_catalog.array_agg(id)::pg_catalog.int8[] AS ids
            FROM @s@.api_usage WHERE queue_id OPERATOR(pg_catalog.=) $1) AS u
   WHERE u.ids IS NOT NULL OR EXISTS (SELECT FROM @s@.agent_queue WHERE id OPERATOR(pg_catalog.=) $1))";

// As the extension's owner, of the rows that the caller has seen: users have no right on agent_models. The price row
// and the sum are chosen and made as in core/cost. How many cache writes were to be kept for an hour is not in
// api_usage: what they cost more lies between the two sums. $1 id of the job, $2 ids of its usage
inline constexpr const char *kExplainCost = R"(
  SELECT u.attempt::int, u.part::int, u.created_at::timestamptz, u.provider::text, u.model::text,
         u.input_tokens::bigint, u.cache_read_tokens::bigint, u.cache_write_tokens::bigint, u.output_tokens::bigint,
         u.reasoning_tokens::bigint, p.valid_from::timestamptz, p.input::numeric, p.cached_input::numeric,
         p.cache_write::numeric, p.output::numeric, u.cost_usd::numeric, c.computed::numeric,
         CASE WHEN u.cost_usd IS NOT DISTINCT FROM c.computed THEN NULL
              WHEN u.cached THEN 'served from the response cache: no call was billed'
              WHEN u.cost_usd IS NULL THEN 'no price was known when it was booked'
              WHEN u.cost_usd > c.computed
                   AND u.cost_usd <= c.computed + u.cache_write_tokens * (p.cache_write_1h - p.cache_write) * 0.000001
              THEN 'cache writes that are kept for an hour have a price of their own'
              ELSE 'the provider stated the cost itself, or the price was changed afterwards' END::text,
         u.estimated::boolean, u.cached::boolean, u.saved_usd::numeric, u.first_token_ms::float8, u.latency_ms::float8
    FROM @s@.api_usage AS u
    LEFT JOIN LATERAL (
         SELECT m.valid_from, m.input_usd_per_mtok AS input,
                coalesce(m.cached_input_usd_per_mtok, m.input_usd_per_mtok) AS cached_input,
                coalesce(m.cache_write_usd_per_mtok, m.input_usd_per_mtok) AS cache_write,
                coalesce(m.cache_write_1h_usd_per_mtok, m.cache_write_usd_per_mtok, m.input_usd_per_mtok)
                    AS cache_write_1h,
                m.output_usd_per_mtok AS output
           FROM @s@.agent_models AS m
          WHERE m.provider = u.provider AND m.model = u.model AND m.valid_from <= u.created_at
            AND (m.valid_to IS NULL OR m.valid_to > u.created_at)
          ORDER BY m.valid_from DESC LIMIT 1) AS p ON true
   CROSS JOIN LATERAL (
         SELECT CASE WHEN p.valid_from IS NOT NULL THEN trim_scale(0.000001 *
                     (CASE WHEN u.input_tokens > 0 THEN u.input_tokens * p.input ELSE 0 END +
                      CASE WHEN u.cache_read_tokens > 0 THEN u.cache_read_tokens * p.cached_input ELSE 0 END +
                      CASE WHEN u.cache_write_tokens > 0 THEN u.cache_write_tokens * p.cache_write ELSE 0 END +
                      CASE WHEN u.output_tokens > 0 THEN u.output_tokens * p.output ELSE 0 END)) END AS computed) AS c
   WHERE u.queue_id = $1 AND u.id = ANY ($2)
   ORDER BY u.created_at, u.attempt, u.part)";

}  // namespace agent_queue::pg::sql
