-- The configuration: edited with plain SQL, read by the workers at once. Every column but the key has a default.
-- Names: 1 to 200 characters, no control characters. Tested in sql/config_rows.sql.
CREATE TABLE @extschema@.agent_types (
    name              text COLLATE "C" NOT NULL,
    queue             text COLLATE "C" NOT NULL DEFAULT 'agents',
    system_prompt     text NOT NULL DEFAULT '',
    prompt_template   text,
    result_template   jsonb,
    params            jsonb NOT NULL DEFAULT '{}',
    priority          int NOT NULL DEFAULT 5,
    max_output_tokens int NOT NULL DEFAULT 1024,
    complexity        text COLLATE "C" NOT NULL DEFAULT 'medium',
    requires_reasoning boolean NOT NULL DEFAULT false,
    compress          boolean NOT NULL DEFAULT false,
    compress_language text COLLATE "C",
    request_timeout   interval NOT NULL DEFAULT '5 min',
    expires_in        interval DEFAULT '5 min',
    max_retries       int NOT NULL DEFAULT 3,
    retry_base        interval NOT NULL DEFAULT '2 s',
    on_uncertain      text COLLATE "C" NOT NULL DEFAULT 'retry',
    stream            boolean NOT NULL DEFAULT false,
    stream_interval   interval DEFAULT '500 ms',
    stream_notify     boolean NOT NULL DEFAULT false,
    endpoint          text COLLATE "C",
    cache_type        text COLLATE "C",
    cache_scope       text COLLATE "C" NOT NULL DEFAULT 'user',
    cache_depends_on  text[] COLLATE "C",
    cache_refresh     boolean NOT NULL DEFAULT false,
    cache_predictor   text,
    stale_if_error    interval,
    stale_while_revalidate interval,
    batch_size        int,
    batch_key         text COLLATE "C",
    batch_wait        interval,
    fallback_answer   jsonb,
    max_requests      int,
    window_seconds    int NOT NULL DEFAULT 60,

    CONSTRAINT agent_types_pkey PRIMARY KEY (name),
    CONSTRAINT agent_types_name_is_valid CHECK (length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'),
    CONSTRAINT agent_types_queue_is_valid CHECK (length(queue) BETWEEN 1 AND 200 AND queue !~ '[[:cntrl:]]'),
    CONSTRAINT agent_types_params_is_an_object CHECK (jsonb_typeof(params) = 'object'),
    CONSTRAINT agent_types_priority_in_range CHECK (priority BETWEEN 1 AND 10),
    CONSTRAINT agent_types_max_output_tokens_in_range CHECK (max_output_tokens BETWEEN 1 AND 1000000),
    CONSTRAINT agent_types_complexity_is_known CHECK (complexity IN ('low', 'medium', 'high')),
    CONSTRAINT agent_types_compress_language_is_valid CHECK (compress_language ~ '^[a-z]{2,8}$'),
    CONSTRAINT agent_types_request_timeout_in_range
        CHECK (request_timeout BETWEEN interval '1 ms' AND interval '1 day'),
    CONSTRAINT agent_types_expires_in_in_range CHECK (expires_in BETWEEN interval '1 ms' AND interval '10 years'),
    CONSTRAINT agent_types_max_retries_in_range CHECK (max_retries BETWEEN 0 AND 100),
    CONSTRAINT agent_types_retry_base_in_range CHECK (retry_base BETWEEN interval '1 ms' AND interval '1 hour'),
    CONSTRAINT agent_types_on_uncertain_is_known CHECK (on_uncertain IN ('retry', 'fail')),
    CONSTRAINT agent_types_stream_interval_in_range
        CHECK (stream_interval BETWEEN interval '50 ms' AND interval '1 hour'),
    CONSTRAINT agent_types_endpoint_is_valid
        CHECK (length(endpoint) BETWEEN 1 AND 200 AND endpoint !~ '[[:cntrl:]]'),
    CONSTRAINT agent_types_cache_type_is_valid
        CHECK (length(cache_type) BETWEEN 1 AND 200 AND cache_type !~ '[[:cntrl:]:]'),
    CONSTRAINT agent_types_cache_scope_is_known CHECK (cache_scope IN ('user', 'shared', 'off')),
    CONSTRAINT agent_types_stale_if_error_in_range
        CHECK (stale_if_error BETWEEN interval '1 ms' AND interval '10 years'),
    CONSTRAINT agent_types_stale_while_revalidate_in_range
        CHECK (stale_while_revalidate BETWEEN interval '1 ms' AND interval '10 years'),
    CONSTRAINT agent_types_batch_size_in_range CHECK (batch_size BETWEEN 1 AND 100000),
    CONSTRAINT agent_types_batch_key_is_valid
        CHECK (length(batch_key) BETWEEN 1 AND 200 AND batch_key !~ '[[:cntrl:]]'),
    CONSTRAINT agent_types_batch_wait_in_range CHECK (batch_wait BETWEEN interval '0' AND interval '1 day'),
    CONSTRAINT agent_types_max_requests_in_range CHECK (max_requests BETWEEN 0 AND 1000000),
    CONSTRAINT agent_types_window_in_range CHECK (window_seconds BETWEEN 1 AND 3600)
);
COMMENT ON TABLE @extschema@.agent_types IS
    'What can be asked of the queue: prompt, bounds and behaviour of each kind of job';
COMMENT ON COLUMN @extschema@.agent_types.name IS 'The name that enqueue_agent() takes';
COMMENT ON COLUMN @extschema@.agent_types.queue IS 'The queue of jobs that name none';
COMMENT ON COLUMN @extschema@.agent_types.system_prompt IS 'Sent before the request; empty: none';
COMMENT ON COLUMN @extschema@.agent_types.prompt_template IS
    'The user''s turn, with {{field}} or {{field.sub}} for fields of the request; '
    'NULL: the messages, prompt or text of the request';
COMMENT ON COLUMN @extschema@.agent_types.result_template IS
    'The shape of the result, e.g. {"translation": "{{text}}"}; places: text, json, model, finish_reason, refusal, '
    'reasoning, tool_calls; NULL: the standard result {"text", "finish_reason", "model"}';
COMMENT ON COLUMN @extschema@.agent_types.params IS
    'Members added to the provider''s request as they are, e.g. {"temperature": 0}';
COMMENT ON COLUMN @extschema@.agent_types.priority IS '1 to 10, 1 first: of jobs that name none';
COMMENT ON COLUMN @extschema@.agent_types.max_output_tokens IS '1 to 1,000,000: the bound sent to the provider';
COMMENT ON COLUMN @extschema@.agent_types.complexity IS
    'low, medium or high: what a model must be capable of that a route with model auto comes to';
COMMENT ON COLUMN @extschema@.agent_types.requires_reasoning IS 'Such a model must think before it answers';
COMMENT ON COLUMN @extschema@.agent_types.compress IS
    'Prompts are sent as compress_prompt() makes them: the system prompt and the turns of system, developer and user';
COMMENT ON COLUMN @extschema@.agent_types.compress_language IS
    'Whose rows of prompt_replacements are used; NULL: those of all languages; one without rows: repeated lines only';
COMMENT ON COLUMN @extschema@.agent_types.request_timeout IS 'The longest that one call may take; up to a day';
COMMENT ON COLUMN @extschema@.agent_types.expires_in IS 'How long a job may wait for its call; NULL: for ever';
COMMENT ON COLUMN @extschema@.agent_types.max_retries IS '0 to 100: attempts after the first';
COMMENT ON COLUMN @extschema@.agent_types.retry_base IS
    'The first wait between two attempts; it doubles each time, up to an hour';
COMMENT ON COLUMN @extschema@.agent_types.on_uncertain IS
    'retry or fail: what to do when a request was sent and no answer came (the provider may have billed it)';
COMMENT ON COLUMN @extschema@.agent_types.stream IS
    'The answer is asked for piece by piece: agent_stream() shows the text so far, first_token_ms is measured, and '
    'first_byte_timeout of the provider bounds the first token. Wire formats without streams are asked as ever';
COMMENT ON COLUMN @extschema@.agent_types.stream_interval IS
    '50 ms to an hour: how often at most the text so far of a job is written; NULL: it is not kept, and not told of';
COMMENT ON COLUMN @extschema@.agent_types.stream_notify IS
    'Each time the text so far is written, NOTIFY agent_queue tells of it';
COMMENT ON COLUMN @extschema@.agent_types.endpoint IS 'Whose rate limit applies; NULL: the name''s';
COMMENT ON COLUMN @extschema@.agent_types.cache_type IS 'Whose time to live holds for cached answers; NULL: no cache';
COMMENT ON COLUMN @extschema@.agent_types.cache_scope IS
    'Who may be answered with a cached answer: user (the same user), shared (everybody), off';
COMMENT ON COLUMN @extschema@.agent_types.cache_depends_on IS
    'What an answer is made from, with {{field}} for fields of the request: e.g. {documents:{{document_id}}}. An answer '
    'that was made before the last change of one of them is not found (cache_watch, cache_invalidate_dependency)';
COMMENT ON COLUMN @extschema@.agent_types.cache_refresh IS
    'Not used yet. Answers that are asked for more than 10 times in their time to live are asked for again before it ends, at low '
    'priority and on the system''s budget';
COMMENT ON COLUMN @extschema@.agent_types.cache_predictor IS
    'Not used yet. A function (request jsonb, result jsonb) that returns a set of jsonb: requests to answer in advance, at low priority '
    'and on the system''s budget; NULL: none';
COMMENT ON COLUMN @extschema@.agent_types.stale_if_error IS
    'For how long after its time to live a cached answer may be used when the provider fails; NULL: not at all';
COMMENT ON COLUMN @extschema@.agent_types.stale_while_revalidate IS
    'For how long after its time to live a cached answer may be given without asking the provider; NULL: not at all';
COMMENT ON COLUMN @extschema@.agent_types.batch_size IS 'The most jobs in one call; NULL: one';
COMMENT ON COLUMN @extschema@.agent_types.batch_key IS 'The field of the request that must be equal within a batch';
COMMENT ON COLUMN @extschema@.agent_types.batch_wait IS 'How long a job may wait for others of its batch';
COMMENT ON COLUMN @extschema@.agent_types.fallback_answer IS
    'The result when everything else failed; NULL: the job fails';
COMMENT ON COLUMN @extschema@.agent_types.max_requests IS
    '0 to 1,000,000: jobs of this type in any span of window_seconds, of all users together; NULL: no bound';
COMMENT ON COLUMN @extschema@.agent_types.window_seconds IS '1 to 3,600: seconds that max_requests is for';

-- No foreign keys: a restore must take the rows in any order, and a route may name what comes later.
CREATE TABLE @extschema@.agent_routes (
    agent_type text COLLATE "C" NOT NULL,
    position   int NOT NULL DEFAULT 1,
    provider   text COLLATE "C" NOT NULL,
    model      text COLLATE "C" NOT NULL,
    weight     int NOT NULL DEFAULT 100,

    CONSTRAINT agent_routes_pkey PRIMARY KEY (agent_type, position, provider, model),
    CONSTRAINT agent_routes_agent_type_is_valid
        CHECK (length(agent_type) BETWEEN 1 AND 200 AND agent_type !~ '[[:cntrl:]]'),
    CONSTRAINT agent_routes_position_in_range CHECK (position >= 1),
    CONSTRAINT agent_routes_provider_is_valid CHECK (length(provider) BETWEEN 1 AND 200 AND provider !~ '[[:cntrl:]]'),
    CONSTRAINT agent_routes_model_is_valid CHECK (length(model) BETWEEN 1 AND 200 AND model !~ '[[:cntrl:]]'),
    CONSTRAINT agent_routes_auto_is_a_model CHECK (provider <> 'auto' OR model = 'auto'),
    CONSTRAINT agent_routes_weight_in_range CHECK (weight BETWEEN 0 AND 1000000)
);
COMMENT ON TABLE @extschema@.agent_routes IS
    'Where the jobs of an agent type go: by position, within one position by weight';
COMMENT ON COLUMN @extschema@.agent_routes.position IS '1 is the first choice';
COMMENT ON COLUMN @extschema@.agent_routes.provider IS 'A row of agent_providers; with model auto, auto means any';
COMMENT ON COLUMN @extschema@.agent_routes.model IS
    'As the provider calls it; auto: at each claim the cheapest that fits complexity, requires_reasoning and '
    'max_output_tokens of the agent type, as select_optimal_model() would say';
COMMENT ON COLUMN @extschema@.agent_routes.weight IS '0 to 1,000,000: the share among the routes of the same position';

CREATE TABLE @extschema@.agent_providers (
    name                text COLLATE "C" NOT NULL,
    wire_format         text COLLATE "C" NOT NULL DEFAULT 'openai',
    dialect             text COLLATE "C",
    base_url            text COLLATE "C" NOT NULL DEFAULT 'http://127.0.0.1:8080/v1',
    api_key_ref         text COLLATE "C" NOT NULL DEFAULT '',
    headers             jsonb NOT NULL DEFAULT '{}',
    requests_per_minute int,
    tokens_per_minute   bigint,
    max_in_flight       int,
    breaker_threshold   int NOT NULL DEFAULT 5,
    breaker_timeout     interval NOT NULL DEFAULT '60 s',
    connect_timeout     interval NOT NULL DEFAULT '10 s',
    first_byte_timeout  interval NOT NULL DEFAULT '120 s',
    idle_timeout        interval NOT NULL DEFAULT '60 s',
    enabled             boolean NOT NULL DEFAULT true,
    shipped             boolean NOT NULL DEFAULT false,

    CONSTRAINT agent_providers_pkey PRIMARY KEY (name),
    CONSTRAINT agent_providers_name_is_valid CHECK (length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'),
    CONSTRAINT agent_providers_wire_format_is_known
        CHECK (wire_format IN ('openai', 'anthropic', 'gemini', 'ollama', 'echo')),
    CONSTRAINT agent_providers_dialect_is_known
        CHECK (dialect IN ('', 'openai', 'azure', 'deepseek', 'mistral', 'groq', 'openrouter', 'llamacpp', 'vllm')),
    CONSTRAINT agent_providers_dialect_is_of_openai CHECK (dialect = '' OR wire_format = 'openai'),
    -- No user:password, and no query but Azure's version, because keys have a place of their own.
    CONSTRAINT agent_providers_base_url_is_http
        CHECK (base_url ~ '^https?://[^[:space:][:cntrl:]/?#@]+(/[^[:space:][:cntrl:]?#]*)?([?]api-version=[-.0-9A-Za-z]+)?$'),
    -- api_key_ref has no CHECK: a violated one would show the key. See api/providers.sql.
    -- Names as in RFC 9110, values that cannot end their line.
    CONSTRAINT agent_providers_headers_are_valid
        CHECK (jsonb_typeof(headers) = 'object'
               AND NOT jsonb_path_exists(
                       headers,
                       '$.keyvalue() ? (!(@.key like_regex "^[-!#$%&''*+.^_`|~0-9A-Za-z]+$"))'::pg_catalog.jsonpath)
               AND NOT jsonb_path_exists(
                       headers, '$.* ? (@.type() != "string" || @ like_regex "[[:cntrl:]]")'::pg_catalog.jsonpath)),
    CONSTRAINT agent_providers_requests_per_minute_in_range CHECK (requests_per_minute > 0),
    CONSTRAINT agent_providers_tokens_per_minute_in_range CHECK (tokens_per_minute > 0),
    CONSTRAINT agent_providers_max_in_flight_in_range CHECK (max_in_flight > 0),
    CONSTRAINT agent_providers_breaker_threshold_in_range CHECK (breaker_threshold > 0),
    CONSTRAINT agent_providers_breaker_timeout_in_range
        CHECK (breaker_timeout BETWEEN interval '1 ms' AND interval '1 day'),
    CONSTRAINT agent_providers_connect_timeout_in_range
        CHECK (connect_timeout BETWEEN interval '1 ms' AND interval '1 day'),
    CONSTRAINT agent_providers_first_byte_timeout_in_range
        CHECK (first_byte_timeout BETWEEN interval '1 ms' AND interval '1 day'),
    CONSTRAINT agent_providers_idle_timeout_in_range CHECK (idle_timeout BETWEEN interval '1 ms' AND interval '1 day')
);
COMMENT ON TABLE @extschema@.agent_providers IS 'Who can be called: address, key reference and bounds of each provider';
COMMENT ON COLUMN @extschema@.agent_providers.wire_format IS
    'openai, anthropic, gemini, ollama, or echo (answered inside the worker)';
COMMENT ON COLUMN @extschema@.agent_providers.dialect IS
    'Of wire format openai, what this server wants differently: openai, azure, deepseek, mistral, groq, openrouter, '
    'llamacpp or vllm; NULL or empty: requests pass as they are';
COMMENT ON COLUMN @extschema@.agent_providers.base_url IS
    'http(s) address that the path of the call is put behind, e.g. https://api.openai.com/v1; may end in ?api-version=…';
COMMENT ON COLUMN @extschema@.agent_providers.api_key_ref IS
    'Where the key is, never the key itself: env:NAME (in the server''s environment), file:/path, vault:NAME; '
    'empty: none';
COMMENT ON COLUMN @extschema@.agent_providers.headers IS 'Headers added to each call: names and strings';
COMMENT ON COLUMN @extschema@.agent_providers.requests_per_minute IS 'NULL: no bound of ours';
COMMENT ON COLUMN @extschema@.agent_providers.tokens_per_minute IS 'NULL: no bound of ours';
COMMENT ON COLUMN @extschema@.agent_providers.max_in_flight IS 'The most calls at a time; NULL: no bound of ours';
COMMENT ON COLUMN @extschema@.agent_providers.breaker_threshold IS
    'After this many failures in a row the provider is left alone';
COMMENT ON COLUMN @extschema@.agent_providers.breaker_timeout IS '… for this long';
COMMENT ON COLUMN @extschema@.agent_providers.connect_timeout IS 'For name resolution, TCP and TLS';
COMMENT ON COLUMN @extschema@.agent_providers.first_byte_timeout IS
    'From the end of the request to the first byte of the answer; of a streamed one, to its first token';
COMMENT ON COLUMN @extschema@.agent_providers.idle_timeout IS 'Between two bytes of the answer';
COMMENT ON COLUMN @extschema@.agent_providers.enabled IS 'false: routes to this provider are passed over';
COMMENT ON COLUMN @extschema@.agent_providers.shipped IS
    'The row came with the extension and was not changed since. UPDATE makes it yours; INSERT of the same name, also '
    'with ON CONFLICT, replaces it as a whole. A deleted one is back after a restore: set enabled = false instead';

CREATE TABLE @extschema@.agent_models (
    provider                  text COLLATE "C" NOT NULL,
    model                     text COLLATE "C" NOT NULL,
    input_usd_per_mtok        numeric,
    cached_input_usd_per_mtok numeric,
    cache_write_usd_per_mtok  numeric,
    cache_write_1h_usd_per_mtok numeric,
    output_usd_per_mtok       numeric,
    batch_discount            numeric,
    context_tokens            int,
    max_output_tokens         int,
    capability                text COLLATE "C",
    reasoning                 boolean NOT NULL DEFAULT false,
    -- A price that is entered today says nothing about yesterday's calls.
    valid_from                timestamptz NOT NULL DEFAULT now(),
    valid_to                  timestamptz,
    shipped                   boolean NOT NULL DEFAULT false,

    CONSTRAINT agent_models_pkey PRIMARY KEY (provider, model, valid_from),
    CONSTRAINT agent_models_provider_is_valid CHECK (length(provider) BETWEEN 1 AND 200 AND provider !~ '[[:cntrl:]]'),
    CONSTRAINT agent_models_model_is_valid CHECK (length(model) BETWEEN 1 AND 200 AND model !~ '[[:cntrl:]]'),
    -- At most 9 decimals, so that tokens × price is exact. The upper bound also keeps NaN and infinity out.
    CONSTRAINT agent_models_input_price_in_range
        CHECK (input_usd_per_mtok BETWEEN 0 AND 1000000 AND scale(input_usd_per_mtok) <= 9),
    CONSTRAINT agent_models_cached_input_price_in_range
        CHECK (cached_input_usd_per_mtok BETWEEN 0 AND 1000000 AND scale(cached_input_usd_per_mtok) <= 9),
    CONSTRAINT agent_models_cache_write_price_in_range
        CHECK (cache_write_usd_per_mtok BETWEEN 0 AND 1000000 AND scale(cache_write_usd_per_mtok) <= 9),
    CONSTRAINT agent_models_cache_write_1h_price_in_range
        CHECK (cache_write_1h_usd_per_mtok BETWEEN 0 AND 1000000 AND scale(cache_write_1h_usd_per_mtok) <= 9),
    CONSTRAINT agent_models_output_price_in_range
        CHECK (output_usd_per_mtok BETWEEN 0 AND 1000000 AND scale(output_usd_per_mtok) <= 9),
    CONSTRAINT agent_models_cached_input_is_not_dearer CHECK (cached_input_usd_per_mtok <= input_usd_per_mtok),
    CONSTRAINT agent_models_batch_discount_in_range CHECK (batch_discount BETWEEN 0 AND 1),
    CONSTRAINT agent_models_context_tokens_in_range CHECK (context_tokens > 0),
    CONSTRAINT agent_models_max_output_tokens_in_range CHECK (max_output_tokens > 0),
    CONSTRAINT agent_models_capability_is_known CHECK (capability IN ('low', 'medium', 'high')),
    CONSTRAINT agent_models_valid_from_is_finite CHECK (isfinite(valid_from)),
    CONSTRAINT agent_models_valid_to_is_later CHECK (isfinite(valid_to) AND valid_to > valid_from)
);
COMMENT ON TABLE @extschema@.agent_models IS
    'Prices and abilities of models. Of several rows of one model the latest valid_from that has come holds. '
    'Shipped prices are a start: check them against the provider''s';
COMMENT ON COLUMN @extschema@.agent_models.input_usd_per_mtok IS
    'US dollars per million input tokens, at most 9 decimals; NULL: unknown, never free';
COMMENT ON COLUMN @extschema@.agent_models.cached_input_usd_per_mtok IS
    '… of input read from the provider''s prompt cache; NULL: as input';
COMMENT ON COLUMN @extschema@.agent_models.cache_write_usd_per_mtok IS
    '… of input written to the provider''s prompt cache; NULL: as input';
COMMENT ON COLUMN @extschema@.agent_models.cache_write_1h_usd_per_mtok IS
    '… to be kept there for an hour; NULL: as cache_write';
COMMENT ON COLUMN @extschema@.agent_models.output_usd_per_mtok IS
    '… of output, reasoning included; NULL: unknown, never free';
COMMENT ON COLUMN @extschema@.agent_models.batch_discount IS
    'The share that the provider''s batch interface saves: 0.5 is half; NULL: unknown';
COMMENT ON COLUMN @extschema@.agent_models.context_tokens IS 'Input and output together; NULL: unknown';
COMMENT ON COLUMN @extschema@.agent_models.max_output_tokens IS 'The most that the model writes; NULL: unknown';
COMMENT ON COLUMN @extschema@.agent_models.capability IS 'low, medium or high; NULL: never chosen by capability';
COMMENT ON COLUMN @extschema@.agent_models.reasoning IS 'The model thinks before it answers';
COMMENT ON COLUMN @extschema@.agent_models.valid_from IS 'From when on; the time an attempt was started decides';
COMMENT ON COLUMN @extschema@.agent_models.valid_to IS 'Until when, exclusive; NULL: still';
COMMENT ON COLUMN @extschema@.agent_models.shipped IS
    'The row came with the extension and was not changed since. UPDATE makes it yours; INSERT of the same key '
    'replaces it';

CREATE TABLE @extschema@.agent_queues (
    name           text COLLATE "C" NOT NULL,
    concurrency    int,
    paused         boolean NOT NULL DEFAULT false,
    max_waiting    bigint,
    keep_completed bigint,
    keep_failed    bigint,
    keep_for       interval DEFAULT '7 days',
    max_requests   int,
    window_seconds int NOT NULL DEFAULT 60,
    shipped        boolean NOT NULL DEFAULT false,

    CONSTRAINT agent_queues_pkey PRIMARY KEY (name),
    CONSTRAINT agent_queues_name_is_valid CHECK (length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'),
    CONSTRAINT agent_queues_concurrency_in_range CHECK (concurrency >= 0),
    CONSTRAINT agent_queues_max_waiting_in_range CHECK (max_waiting >= 0),
    CONSTRAINT agent_queues_keep_completed_in_range CHECK (keep_completed >= 0),
    CONSTRAINT agent_queues_keep_failed_in_range CHECK (keep_failed >= 0),
    CONSTRAINT agent_queues_keep_for_in_range CHECK (keep_for BETWEEN interval '0' AND interval '100 years'),
    CONSTRAINT agent_queues_max_requests_in_range CHECK (max_requests BETWEEN 0 AND 1000000),
    CONSTRAINT agent_queues_window_in_range CHECK (window_seconds BETWEEN 1 AND 3600)
);
COMMENT ON TABLE @extschema@.agent_queues IS
    'The queues and their rules; a job can only be put into a queue that is here';
COMMENT ON COLUMN @extschema@.agent_queues.concurrency IS
    'The most of its jobs that are called at a time, by all workers together; NULL: unlimited. Jobs that were called '
    'before it was set do not count. Up to 256 queues of a cluster can have a bound';
COMMENT ON COLUMN @extschema@.agent_queues.paused IS 'true: jobs are taken in and not called';
COMMENT ON COLUMN @extschema@.agent_queues.max_waiting IS 'The most jobs that may wait; NULL: unlimited';
COMMENT ON COLUMN @extschema@.agent_queues.keep_completed IS
    'How many completed jobs are kept; NULL: as many as keep_for keeps';
COMMENT ON COLUMN @extschema@.agent_queues.keep_failed IS
    'How many failed jobs are kept; NULL: as many as keep_for keeps';
COMMENT ON COLUMN @extschema@.agent_queues.keep_for IS 'How long finished jobs are kept; NULL: for ever';
COMMENT ON COLUMN @extschema@.agent_queues.max_requests IS
    '0 to 1,000,000: jobs put into it in any span of window_seconds, by all users together; NULL: no bound';
COMMENT ON COLUMN @extschema@.agent_queues.window_seconds IS '1 to 3,600: seconds that max_requests is for';
COMMENT ON COLUMN @extschema@.agent_queues.shipped IS
    'The row came with the extension and was not changed since. UPDATE makes it yours; INSERT of the same name '
    'replaces it';
