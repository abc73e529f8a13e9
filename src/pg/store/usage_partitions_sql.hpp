// How a month's partition of api_usage is made: standalone with its own indexes, then attached, and never a member of
// the extension; anything else breaks pg_restore. Locks: ShareUpdateExclusive on api_usage, AccessExclusive on the new
// table and, while rows are moved and the partition is attached, on api_usage_default.
// "@s@": schema, "@p@": the partition's name, "@from@", "@to@": its bounds as literals.
#pragma once

namespace agent_queue::pg::sql {

inline constexpr const char *kAnyUsage = "SELECT 1 FROM @s@.api_usage LIMIT 1";

// Partitions that end at @from@ or before: their names for SQL, and as they are.
inline constexpr const char *kOldPartitions =
    "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.relname "
    "FROM pg_catalog.pg_inherits AS i "
    "JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid "
    "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
    "WHERE i.inhparent = '@s@.api_usage'::pg_catalog.regclass AND c.relkind = 'r' AND NOT i.inhdetachpending "
    "AND (pg_catalog.regexp_match(pg_catalog.pg_get_expr(c.relpartbound, c.oid), ' TO [(]''([^'']+)''[)]'))[1] "
    "::timestamptz <= @from@ "
    "ORDER BY c.relname";

// Has the partition rows that are in no roll-up yet?
inline constexpr const char *kAnyUnfolded =
    "SELECT 1 FROM @p@ WHERE id > coalesce((SELECT folded_to FROM @s@.api_usage_folded), 0) LIMIT 1";

// Dropping a partition locks the parent first; the session's lock_timeout bounds how long others wait behind it.
inline constexpr const char *kLockPartition = "LOCK TABLE ONLY @s@.api_usage, ONLY @p@ IN ACCESS EXCLUSIVE MODE";

// First of all, so that one worker at a time makes a partition. Writers of usage are not held up.
inline constexpr const char *kLockUsage = "LOCK TABLE ONLY @s@.api_usage IN SHARE UPDATE EXCLUSIVE MODE";

inline constexpr const char *kMakePartition[] = {
    "CREATE TABLE @s@.@p@ (LIKE @s@.api_usage INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)",
    "CREATE UNIQUE INDEX @p@_attempt ON @s@.@p@ (queue_id, attempt, part, created_at)",
    "CREATE INDEX @p@_user ON @s@.@p@ (user_id, created_at)",
    "CREATE INDEX @p@_id ON @s@.@p@ (id)",
    // As the extension's own tables: no policy, so closed to whoever is given rights on it. The parent's policy holds
    // for what is read through the parent.
    "ALTER TABLE @s@.@p@ ENABLE ROW LEVEL SECURITY",
    "LOCK TABLE @s@.api_usage_default IN ACCESS EXCLUSIVE MODE",
    // Rows that came while the partition could not be made (its creation was refused, say).
    "WITH moved AS (DELETE FROM @s@.api_usage_default WHERE created_at >= @from@ AND created_at < @to@ RETURNING *) "
    "INSERT INTO @s@.@p@ SELECT * FROM moved",
    // Default privileges may have given the new table to others (Supabase's do): everybody but the owner is taken out.
    // In one statement, whose parts see what was made before: a plain query would still see the catalogs as they were.
    R"(DO $$
       DECLARE
           grantee text;
       BEGIN
           FOR grantee IN
               SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC'
                                    ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
               FROM pg_catalog.pg_class AS c, pg_catalog.aclexplode(c.relacl) AS a
               WHERE c.oid = '@s@.@p@'::pg_catalog.regclass AND a.grantee <> c.relowner
           LOOP
               EXECUTE 'REVOKE ALL ON TABLE @s@.@p@ FROM ' || grantee;
           END LOOP;
       END
       $$)",
    "ALTER TABLE @s@.api_usage ATTACH PARTITION @s@.@p@ FOR VALUES FROM (@from@) TO (@to@)",
};

}  // namespace agent_queue::pg::sql
