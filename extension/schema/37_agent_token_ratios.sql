-- What providers counted for prompts of known length. Each worker adds to it every few seconds. sql/estimate.sql
CREATE TABLE @extschema@.agent_token_ratios (
    provider      text COLLATE "C" NOT NULL,
    model         text COLLATE "C" NOT NULL,
    samples       bigint NOT NULL,
    prompt_chars  bigint NOT NULL,
    input_tokens  bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_error   double precision NOT NULL,
    output_error  double precision NOT NULL,
    updated_at    timestamptz NOT NULL,

    CONSTRAINT agent_token_ratios_pkey PRIMARY KEY (provider, model),
    CONSTRAINT agent_token_ratios_are_not_negative
        CHECK (least(samples, prompt_chars, input_tokens, output_tokens) >= 0
               AND least(input_error, output_error) >= 0)
) WITH (fillfactor = 50);
COMMENT ON TABLE @extschema@.agent_token_ratios IS
    'How many characters a token of a model takes and how much it answers, learned from what was counted: '
    'estimate_cost() goes by it. Answers to prompts of text alone count (no images, no tools); from 1,000 on the older '
    'ones half. A deleted row is learned anew';
COMMENT ON COLUMN @extschema@.agent_token_ratios.samples IS 'Answers that were counted';
COMMENT ON COLUMN @extschema@.agent_token_ratios.prompt_chars IS 'Characters of their prompts';
COMMENT ON COLUMN @extschema@.agent_token_ratios.input_tokens IS 'Input tokens that the provider counted';
COMMENT ON COLUMN @extschema@.agent_token_ratios.output_tokens IS 'Output tokens that it counted';
COMMENT ON COLUMN @extschema@.agent_token_ratios.input_error IS
    'Sum over the samples of |estimated - counted| / counted input tokens, each estimated before it was known';
COMMENT ON COLUMN @extschema@.agent_token_ratios.output_error IS '… of output tokens';
COMMENT ON COLUMN @extschema@.agent_token_ratios.updated_at IS 'When a worker last added to it';
