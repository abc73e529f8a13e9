// How a month's partition of api_usage is made: standalone with its own indexes, then attached, and never a member of
// the extension; anything else breaks pg_restore. Locks: ShareUpdateExclusive on api_usage, AccessExclusive on the new
// table and, while rows are moved and the partition is attached, on api_usage_default.
// "@s@": schema, "@p@": the partition's name, "@from@", "@to@": its bounds as literals.
#pragma once

namespace agent_queue::pg::sql {

// First of all, so that one worker at a time makes a partition. Writers of usage are not held up.
inline constexpr const char *kLockUsage = "LOCK TABLE ONLY @s@.api_usage IN SHARE UPDATE EXCLUSIVE MODE";

inline constexpr const char *kMakePartition[] = {
    "CREATE TABLE @s@.@p@ (LIKE @s@.api_usage INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)",
    "CREATE UNIQUE INDEX @p@_attempt ON @s@.@p@ (queue_id, attempt, part, created_at)",
    "CREATE INDEX @p@_user ON @s@.@p@ (user_id, created_at)",
    "LOCK TABLE @s@.api_usage_default IN ACCESS EXCLUSIVE MODE",
    // Rows that came while the partition could not be made (its creation was refused, say).
    "WITH moved AS (DELETE FROM @s@.api_usage_default WHERE created_at >= @from@ AND created_at < @to@ RETURNING *) "
    "INSERT INTO @s@.@p@ SELECT * FROM moved",
    "ALTER TABLE @s@.api_usage ATTACH PARTITION @s@.@p@ FOR VALUES FROM (@from@) TO (@to@)",
};

// Default privileges may have given the new table to others (Supabase's do): everybody but the owner is taken out.
inline constexpr const char *kPartitionGrantees =
    "SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(r.rolname) END "
    "FROM pg_catalog.pg_class AS c "
    "CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a "
    "LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee "
    "WHERE c.oid = '@s@.@p@'::pg_catalog.regclass AND a.grantee <> c.relowner";
inline constexpr const char *kPartitionRevoke = "REVOKE ALL ON TABLE @s@.@p@ FROM ";

}  // namespace agent_queue::pg::sql
