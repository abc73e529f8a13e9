-- The application's own cached values, and watches on the tables that they are made from. Documented with named
-- arguments only, so that parameters can be added.
--
-- STABLE: it looks with the statement's own snapshot.
CREATE OR REPLACE FUNCTION @extschema@.cache_get(
    -- the cache type, as cache_set() was given it
    type text,
    -- what the value was computed for; spelling and order of its members do not matter
    data jsonb,
    -- whose value it is; NULL: the caller's, or the system's where the caller may
    user_id uuid DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C STABLE PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'aq_cache_get';
COMMENT ON FUNCTION @extschema@.cache_get(text, jsonb, uuid) IS
    'The value that cache_set() stored; NULL: there is none, it is stale, or what it depends on has changed '
    '(granted by grant_agent_access)';

CREATE OR REPLACE FUNCTION @extschema@.cache_set(
    -- the cache type: 1 to 200 characters, no colon
    type text,
    -- what the value was computed for
    data jsonb,
    -- of agent_queue.cache_max_value_size at most
    value jsonb,
    -- 1 ms to 10 years; NULL: as cache_types says, or 1 hour
    ttl interval DEFAULT NULL,
    -- what it was made from, e.g. documents:42; NULL: nothing that changes
    dependencies text[] DEFAULT NULL,
    -- for cache_invalidate_category(); NULL: none
    category text DEFAULT NULL,
    -- whose value it is; NULL: the caller's, or the system's where the caller may
    user_id uuid DEFAULT NULL
) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000
    AS 'MODULE_PATHNAME', 'aq_cache_set';
COMMENT ON FUNCTION @extschema@.cache_set(text, jsonb, jsonb, interval, text[], text, uuid) IS
    'Stores a value, as part of the current transaction, in place of one for the same type, data and user '
    '(granted by grant_agent_access)';

CREATE OR REPLACE FUNCTION @extschema@.cache_get_or_lock(
    -- the cache type
    type text,
    -- what the value is computed for
    data jsonb,
    -- how long to wait for another session that is computing it, before 55P03 is raised
    timeout interval DEFAULT '30 seconds',
    -- whose value it is; NULL: the caller's, or the system's where the caller may
    user_id uuid DEFAULT NULL,
    -- the value that cache_set() stored
    OUT value jsonb,
    -- true: there is none, and this transaction is the one to compute it and to call cache_set()
    OUT locked boolean
) RETURNS record
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000
    AS 'MODULE_PATHNAME', 'aq_cache_get_or_lock';
COMMENT ON FUNCTION @extschema@.cache_get_or_lock(text, jsonb, interval, uuid) IS
    'The value that cache_set() stored, or until the end of the transaction the sole right to compute it: others wait '
    'until it has committed its cache_set(), or has ended without (granted by grant_agent_access)';

CREATE OR REPLACE FUNCTION @extschema@.cache_invalidate(
    -- a key (type:hex), 'type:*', or '*'
    pattern text
) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000
    AS 'MODULE_PATHNAME', 'aq_cache_invalidate';
COMMENT ON FUNCTION @extschema@.cache_invalidate(text) IS
    'Drops cached answers and values of all users by their keys, and returns how many';

CREATE OR REPLACE FUNCTION @extschema@.cache_invalidate_dependency(
    -- e.g. documents:42, or documents:* for all that depend on any of them
    dependency text
) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000
    AS 'MODULE_PATHNAME', 'aq_cache_invalidate_dependency';
COMMENT ON FUNCTION @extschema@.cache_invalidate_dependency(text) IS
    'Says that something has changed: what was made from it, or is being made, is not found any more. Drops what is '
    'stored, and returns how many';

CREATE OR REPLACE FUNCTION @extschema@.cache_invalidate_category(
    -- as cache_set() was given it
    category text
) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000
    AS 'MODULE_PATHNAME', 'aq_cache_invalidate_category';
COMMENT ON FUNCTION @extschema@.cache_invalidate_category(text) IS
    'Drops cached values of all users by their category, and returns how many';

CREATE OR REPLACE FUNCTION @extschema@.clean_expired_cache() RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000
    AS 'MODULE_PATHNAME', 'aq_clean_expired_cache';
COMMENT ON FUNCTION @extschema@.clean_expired_cache() IS
    'Deletes what is past cache_store.kept_until, and returns how many rows. Workers do so by themselves; without '
    'this the values are not found, either';

CREATE OR REPLACE FUNCTION @extschema@.agent_queue_cache_changed() RETURNS trigger
    LANGUAGE C VOLATILE
    AS 'MODULE_PATHNAME', 'aq_cache_changed';
COMMENT ON FUNCTION @extschema@.agent_queue_cache_changed() IS
    'The trigger of watched tables: a changed row is a new version of the dependency prefix:key';

CREATE OR REPLACE FUNCTION @extschema@.cache_watch(
    -- an ordinary or partitioned table of the caller's
    table_name regclass,
    -- the column by which dependencies tell its rows apart
    key_column text DEFAULT 'id',
    -- dependencies are prefix:key; NULL: the table's name without its schema
    prefix text DEFAULT NULL
) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'aq_cache_watch';
COMMENT ON FUNCTION @extschema@.cache_watch(regclass, text, text) IS
    'Ties cached values to a table: from the commit that changes a row on, what depends on it is not found any more. '
    'Again: with the new column and prefix, and for the partitions that there are now';

CREATE OR REPLACE FUNCTION @extschema@.cache_unwatch(
    -- a table that cache_watch() was called for
    table_name regclass
) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'aq_cache_unwatch';
COMMENT ON FUNCTION @extschema@.cache_unwatch(regclass) IS 'Drops the triggers of cache_watch()';
