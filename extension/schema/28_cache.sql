-- The response cache: what is kept, for how long, and which version of the data it came from. Tested in sql/cache.sql
-- and the files beside it. Entries are made by workers, by cache_set() and by nobody else; a dump leaves them out.
CREATE TABLE @extschema@.cache_types (
    type    text COLLATE "C" NOT NULL,
    ttl     interval NOT NULL DEFAULT '1 hour',
    shipped boolean NOT NULL DEFAULT false,

    CONSTRAINT cache_types_pkey PRIMARY KEY (type),
    -- No colon: a key is type:hex.
    CONSTRAINT cache_types_type_is_valid CHECK (length(type) BETWEEN 1 AND 200 AND type !~ '[[:cntrl:]:]'),
    CONSTRAINT cache_types_ttl_in_range CHECK (ttl BETWEEN interval '1 ms' AND interval '10 years')
);
COMMENT ON TABLE @extschema@.cache_types IS
    'How long cached values live, by type; a type without a row: 1 hour';
COMMENT ON COLUMN @extschema@.cache_types.type IS 'As agent_types.cache_type and cache_set() name it';
COMMENT ON COLUMN @extschema@.cache_types.ttl IS '1 ms to 10 years';
COMMENT ON COLUMN @extschema@.cache_types.shipped IS
    'The row came with the extension and was not changed since. UPDATE makes it yours; INSERT of the same key '
    'replaces it';

INSERT INTO @extschema@.cache_types (type, ttl, shipped)
VALUES ('translation', '24 hours', true), ('correction', '1 hour', true), ('evaluation', '1 hour', true),
       ('examples', '2 hours', true), ('teacher_response', '30 minutes', true), ('agent_response', '2 hours', true),
       ('query', '30 minutes', true), ('session', '24 hours', true), ('user_profile', '5 minutes', true),
       ('agent_config', '30 minutes', true), ('conversation_list', '2 minutes', true),
       ('usage_metrics', '1 hour', true);

CREATE TABLE @extschema@.cache_store (
    key           text COLLATE "C" NOT NULL,
    type          text COLLATE "C" NOT NULL,
    value         jsonb NOT NULL,
    user_id       uuid,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    kept_until    timestamptz NOT NULL,
    bytes         int NOT NULL,
    category      text COLLATE "C",
    dependencies  text[] COLLATE "C",
    versions      bigint[],
    agent_type    text COLLATE "C",
    request       jsonb,
    provider      text COLLATE "C",
    model         text COLLATE "C",
    input_tokens  bigint,
    output_tokens bigint,
    cost_usd      numeric,

    CONSTRAINT cache_store_pkey PRIMARY KEY (key)
) WITH (
    -- Rows come and go with every miss; none is ever updated but by the same key's next answer.
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_threshold = 1000
);
-- Only what has one pays for it.
CREATE INDEX cache_store_category ON @extschema@.cache_store (category) WHERE category IS NOT NULL;
CREATE INDEX cache_store_dependencies ON @extschema@.cache_store USING gin (dependencies)
    WHERE dependencies IS NOT NULL;

COMMENT ON TABLE @extschema@.cache_store IS 'Cached answers of jobs, and values of cache_set()';
COMMENT ON COLUMN @extschema@.cache_store.key IS 'type:hex, the hex being the SHA-256 of all that may change the value';
COMMENT ON COLUMN @extschema@.cache_store.user_id IS 'Whose value it is; NULL: everybody''s, or the system''s';
COMMENT ON COLUMN @extschema@.cache_store.expires_at IS 'From then on it is stale';
COMMENT ON COLUMN @extschema@.cache_store.kept_until IS
    'From then on it is cleaned away: expires_at, or later where a stale answer may be used';
COMMENT ON COLUMN @extschema@.cache_store.bytes IS 'About what the row takes on disk';
COMMENT ON COLUMN @extschema@.cache_store.category IS 'For cache_invalidate_category()';
COMMENT ON COLUMN @extschema@.cache_store.dependencies IS
    'What it was made from, for cache_invalidate_dependency(): e.g. documents:42, and its group documents:*';
COMMENT ON COLUMN @extschema@.cache_store.versions IS
    'Of a value of cache_set(): the version of each dependency when it was made; it is found while they are the same';
COMMENT ON COLUMN @extschema@.cache_store.agent_type IS 'Of an answer: the agent type; NULL: a value of cache_set()';
COMMENT ON COLUMN @extschema@.cache_store.request IS
    'Of an answer that may be refreshed: the request that it answers';
COMMENT ON COLUMN @extschema@.cache_store.cost_usd IS 'Of an answer: US dollars that it cost, and each hit saves';

-- A change is a new version, written by the transaction that changes the data. It is part of the key: what was made from
-- an older version is never found again. No row: version 0.
CREATE TABLE @extschema@.cache_versions (
    dependency text COLLATE "C" NOT NULL,
    version    bigint NOT NULL,

    CONSTRAINT cache_versions_pkey PRIMARY KEY (dependency)
) WITH (fillfactor = 70);
COMMENT ON TABLE @extschema@.cache_versions IS
    'How often what cached values were made from has changed; a dependency without a row: never';
COMMENT ON COLUMN @extschema@.cache_versions.dependency IS 'e.g. documents:42';
