// The statements of the fold: usage into its roll-up (pg/store/fold_task). "@s@" is the schema.
#pragma once

namespace agent_queue::pg::sql {

// The last id that was drawn (none: 0); how far usage is folded (not at all: 0); how many ids a session puts by.
inline constexpr const char *kFoldPlace = R"(
  SELECT coalesce(pg_catalog.pg_sequence_last_value(s.seqrelid), 0),
         coalesce((SELECT folded_to FROM @s@.api_usage_folded), 0), s.seqcache
    FROM pg_catalog.pg_sequence AS s WHERE s.seqrelid = '@s@.api_usage_id_seq'::pg_catalog.regclass)";

// What is locked by who may still commit rows with ids that were drawn: the sequence by those who drew them, the tables
// by a restore, which brings its own.
inline constexpr const char *kFoldSources =
    "SELECT '@s@.api_usage_id_seq'::pg_catalog.regclass::oid UNION ALL "
    "SELECT relid::oid FROM pg_catalog.pg_partition_tree('@s@.api_usage')";

// So that nobody folds the same rows meanwhile.
inline constexpr const char *kLockFolded = "SELECT folded_to FROM @s@.api_usage_folded FOR NO KEY UPDATE";

// The first fold of this installation; who comes second waits for it and fails.
inline constexpr const char *kBeginFolding = "INSERT INTO @s@.api_usage_folded (folded_to) VALUES (0)";

inline constexpr const char *kMoveFolded = "UPDATE @s@.api_usage_folded SET folded_to = $1";

// Uses the partitions' indexes on id. $1 ids above this one, $2 and up to this one
inline constexpr const char *kFold = R"(
  INSERT INTO @s@.api_usage_rollup AS r
         (day, user_id, agent_type, provider, model, requests, cached_requests, estimated_requests, unpriced_requests,
          tokens_used, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost_usd,
          saved_usd)
  SELECT a.day, a.user_id, a.agent_type, a.provider, a.model, sum(a.requests), sum(a.cached_requests),
         sum(a.estimated_requests), sum(a.unpriced_requests), sum(a.tokens_used), sum(a.input_tokens),
         sum(a.cache_read_tokens), sum(a.cache_write_tokens), sum(a.output_tokens), sum(a.reasoning_tokens),
         sum(a.cost_usd), sum(a.saved_usd)
    FROM @s@.api_usage_amounts AS a
   WHERE a.id > $1 AND a.id <= $2
   GROUP BY a.user_id, a.day, a.agent_type, a.provider, a.model
  ON CONFLICT (user_id, day, agent_type, provider, model) DO UPDATE
     SET requests = r.requests + excluded.requests,
         cached_requests = r.cached_requests + excluded.cached_requests,
         estimated_requests = r.estimated_requests + excluded.estimated_requests,
         unpriced_requests = r.unpriced_requests + excluded.unpriced_requests,
         tokens_used = r.tokens_used + excluded.tokens_used,
         input_tokens = r.input_tokens + excluded.input_tokens,
         cache_read_tokens = r.cache_read_tokens + excluded.cache_read_tokens,
         cache_write_tokens = r.cache_write_tokens + excluded.cache_write_tokens,
         output_tokens = r.output_tokens + excluded.output_tokens,
         reasoning_tokens = r.reasoning_tokens + excluded.reasoning_tokens,
         cost_usd = coalesce(r.cost_usd + excluded.cost_usd, r.cost_usd, excluded.cost_usd),
         saved_usd = r.saved_usd + excluded.saved_usd)";

}  // namespace agent_queue::pg::sql
