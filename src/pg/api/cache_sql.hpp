// The statements of cache_set(), cache_invalidate() and their kin. They run as the extension's owner, search_path
// locked. "@s@" is the extension's schema. Who deletes locks the rows first, in the order of their keys, so that two of
// them cannot lock each other out; a row that is being written is waited for.
#pragma once

namespace agent_queue::pg::sql {

// $1 key, $2 type, $3 value, $4 user_id, $5 now, $6 ttl (NULL: the type's), $7 bytes, $8 category, $9 dependencies,
// $10 versions
inline constexpr const char *kSetValue = R"(
  INSERT INTO @s@.cache_store AS s (key, type, value, user_id, created_at, expires_at, kept_until, bytes, category,
                                    dependencies, versions)
  SELECT $1, $2, $3, $4, $5, $5 + l.ttl, $5 + l.ttl, $7, $8, $9, $10
    FROM (SELECT coalesce($6, (SELECT t.ttl FROM @s@.cache_types AS t WHERE t.type = $2), interval '1 hour')) AS l (ttl)
  ON CONFLICT (key) DO UPDATE
     SET value = EXCLUDED.value, created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at,
         kept_until = EXCLUDED.kept_until, bytes = EXCLUDED.bytes, category = EXCLUDED.category,
         dependencies = EXCLUDED.dependencies, versions = EXCLUDED.versions)";

// $1 key
inline constexpr const char *kDropKey = "DELETE FROM @s@.cache_store WHERE key = $1";

// All keys of a type are "type:…", and ';' follows ':'. $1 "type:", $2 "type;"
inline constexpr const char *kDropType = R"(
  DELETE FROM @s@.cache_store WHERE key = ANY(ARRAY(
    SELECT key FROM @s@.cache_store WHERE key >= $1 COLLATE "C" AND key < $2 COLLATE "C" ORDER BY key FOR UPDATE)))";

inline constexpr const char *kDropAll = R"(
  DELETE FROM @s@.cache_store WHERE key = ANY(ARRAY(SELECT key FROM @s@.cache_store ORDER BY key FOR UPDATE)))";

// $1 dependency
inline constexpr const char *kDropDependency = R"(
  DELETE FROM @s@.cache_store WHERE key = ANY(ARRAY(
    SELECT key FROM @s@.cache_store WHERE dependencies @> ARRAY[$1] ORDER BY key FOR UPDATE SKIP LOCKED)))";

// $1 category
inline constexpr const char *kDropCategory = R"(
  DELETE FROM @s@.cache_store WHERE key = ANY(ARRAY(
    SELECT key FROM @s@.cache_store WHERE category = $1 ORDER BY key FOR UPDATE)))";

// A portion, from behind a key on: the table is walked once. What somebody else has locked is in use or on its way out.
// $1 key ('': from the beginning), $2 now, $3 how many. Gives their number and the last key.
inline constexpr const char *kDropExpired = R"(
  WITH old AS MATERIALIZED (
    SELECT key FROM @s@.cache_store WHERE key > $1 COLLATE "C" AND kept_until <= $2 ORDER BY key LIMIT $3
       FOR UPDATE SKIP LOCKED
  ), gone AS (DELETE FROM @s@.cache_store WHERE key = ANY(ARRAY(SELECT key FROM old)) RETURNING key)
  SELECT count(*)::bigint, max(key) FROM gone)";

}  // namespace agent_queue::pg::sql
