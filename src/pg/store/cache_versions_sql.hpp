// The one statement that writes cache_versions. "@s@" is the extension's schema.
#pragma once

namespace agent_queue::pg::sql {

// Waits for who has changed one of them and has not committed, as for a row of the data itself. $1 names
inline constexpr const char *kBumpVersions = R"(
  INSERT INTO @s@.cache_versions AS v (dependency, version)
  SELECT n, 1 FROM unnest($1) AS n ORDER BY n COLLATE "C"
  ON CONFLICT (dependency) DO UPDATE SET version = v.version + 1)";

}  // namespace agent_queue::pg::sql
