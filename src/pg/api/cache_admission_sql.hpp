// The look into the response cache at admission. "@s@" is the extension's schema.
#pragma once

namespace agent_queue::pg::sql {

// $1 key, $2 the oldest end of its time to live
inline constexpr const char *kStoredAnswer = R"(
  SELECT value, provider, model, input_tokens, output_tokens, cost_usd, expires_at
    FROM @s@.cache_store WHERE key OPERATOR(pg_catalog.=) $1 AND expires_at OPERATOR(pg_catalog.>) $2)";

}  // namespace agent_queue::pg::sql
