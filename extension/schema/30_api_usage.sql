-- What was billed: one row per attempt, inserted only, in the transaction that settles the job. sql/costs_view.sql
--
-- The parent has no index and no constraint, and the script makes the default partition only: partitions of the months
-- are made by the worker as tables of their own and attached, because a restore creates the extension first and can
-- attach only what fits a parent that demands nothing.
--
-- Every row has an id out of one sequence, by which it is folded into the roll-up (schema/32_api_usage_rollup.sql). Who
-- draws one holds a lock on the sequence until the transaction ends, which is how the fold knows who may still commit
-- rows with ids that were drawn.
CREATE SEQUENCE @extschema@.api_usage_id_seq;
COMMENT ON SEQUENCE @extschema@.api_usage_id_seq IS
    'Ids of api_usage. Its CACHE stays 1: an id that a session has put by would be taken for one that nobody uses';

CREATE TABLE @extschema@.api_usage (
    id                 bigint NOT NULL DEFAULT pg_catalog.nextval('@extschema@.api_usage_id_seq'),
    queue_id           bigint NOT NULL,
    attempt            int NOT NULL,
    part               int NOT NULL DEFAULT 1,
    user_id            uuid,
    agent_type         text COLLATE "C",
    provider           text COLLATE "C",
    model              text COLLATE "C",
    tokens_used        bigint,
    input_tokens       bigint,
    cache_read_tokens  bigint,
    cache_write_tokens bigint,
    output_tokens      bigint,
    reasoning_tokens   bigint,
    cost_usd           numeric,
    saved_usd          numeric,
    cached             boolean NOT NULL DEFAULT false,
    estimated          boolean NOT NULL DEFAULT false,
    latency_ms         double precision,
    first_token_ms     double precision,
    created_at         timestamptz NOT NULL,
    compressed_tokens  bigint
) PARTITION BY RANGE (created_at);

CREATE TABLE @extschema@.api_usage_default PARTITION OF @extschema@.api_usage DEFAULT;
-- No share of an attempt is accounted twice: a second row of it would also have the same created_at, which is when the
-- attempt was started.
CREATE UNIQUE INDEX api_usage_default_attempt ON @extschema@.api_usage_default (queue_id, attempt, part, created_at);
CREATE INDEX api_usage_default_id ON @extschema@.api_usage_default (id);

COMMENT ON TABLE @extschema@.api_usage IS
    'One row per attempt that was billed, may have been billed, or was served from the cache';
COMMENT ON TABLE @extschema@.api_usage_default IS 'Usage of months that have no partition of their own';
COMMENT ON COLUMN @extschema@.api_usage.id IS
    'Left out by whoever inserts; up to api_usage_folded.folded_to a row is in the roll-up and not counted again';
COMMENT ON COLUMN @extschema@.api_usage.queue_id IS 'agent_queue.id; the job may be gone';
COMMENT ON COLUMN @extschema@.api_usage.attempt IS '1 is the first';
COMMENT ON COLUMN @extschema@.api_usage.part IS '1, or the number of the share where one attempt is billed in several';
COMMENT ON COLUMN @extschema@.api_usage.tokens_used IS 'All tokens: input (cached included) and output';
COMMENT ON COLUMN @extschema@.api_usage.input_tokens IS
    'Input tokens billed at the full price: neither read from nor written to a prompt cache';
COMMENT ON COLUMN @extschema@.api_usage.cache_read_tokens IS 'Input read from the provider''s prompt cache';
COMMENT ON COLUMN @extschema@.api_usage.cache_write_tokens IS 'Input written to the provider''s prompt cache';
COMMENT ON COLUMN @extschema@.api_usage.output_tokens IS 'Output tokens, reasoning included';
COMMENT ON COLUMN @extschema@.api_usage.reasoning_tokens IS 'Of output_tokens: not visible in the answer';
COMMENT ON COLUMN @extschema@.api_usage.cost_usd IS 'US dollars, exact; NULL: no price was known';
COMMENT ON COLUMN @extschema@.api_usage.saved_usd IS 'US dollars that a cached answer did not cost';
COMMENT ON COLUMN @extschema@.api_usage.cached IS 'Served from the response cache';
COMMENT ON COLUMN @extschema@.api_usage.estimated IS 'The provider did not say: the worst case was booked';
COMMENT ON COLUMN @extschema@.api_usage.latency_ms IS 'Milliseconds from the claim to the answer';
COMMENT ON COLUMN @extschema@.api_usage.first_token_ms IS
    'Milliseconds from the request to the first token; NULL: the answer was not streamed, or none came';
COMMENT ON COLUMN @extschema@.api_usage.created_at IS 'When the attempt was started; its prices are those of that time';
COMMENT ON COLUMN @extschema@.api_usage.compressed_tokens IS
    'Input tokens that agent_types.compress saved, about: letters saved by the letters that a token of this call took; '
    'NULL: the prompt was sent as it was';
