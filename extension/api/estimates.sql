-- Before the money is spent: the cheapest model, and what a prompt would cost. Tested in sql/estimate.sql.
CREATE OR REPLACE FUNCTION @extschema@.select_optimal_model(
    -- low, medium or high: what the model must be capable of
    complexity text,
    -- true: it must think before it answers
    requires_reasoning boolean DEFAULT false,
    -- tokens that it must be able to write; NULL: any number. More than 4,096 only of models that say how many
    max_tokens int DEFAULT NULL,
    -- out: a row of agent_providers
    OUT provider text,
    -- out: the model's name there
    OUT model text,
    -- out: US dollars for a thousand tokens, three of output to four of input
    OUT cost_per_1k_tokens numeric
) RETURNS SETOF record
    LANGUAGE C STABLE ROWS 1
    AS 'MODULE_PATHNAME', 'aq_select_optimal_model';
COMMENT ON FUNCTION @extschema@.select_optimal_model(text, boolean, int) IS
    'The cheapest model at present prices that can do it, of the enabled providers; no row: there is none with a known '
    'price. Whether its key is at hand is not looked at (granted by grant_agent_access)';

CREATE OR REPLACE FUNCTION @extschema@.compress_prompt(
    -- what is to be sent
    prompt text,
    -- whose rows of prompt_replacements are used; NULL: those of all languages
    language text DEFAULT NULL
) RETURNS text
    LANGUAGE C STABLE
    AS 'MODULE_PATHNAME', 'aq_compress_prompt';
COMMENT ON FUNCTION @extschema@.compress_prompt(text, text) IS
    'The prompt without filler phrases and repeated lines and with long words written shorter, as prompt_replacements '
    'says; code, quotes and JSON stay as they are. NULL: the prompt was. 42704: the language has no rows '
    '(granted by grant_agent_access)';

CREATE OR REPLACE FUNCTION @extschema@.estimate_cost(
    -- what is to be sent
    prompt text,
    -- provider/model, or the model's name where one provider alone has a price for it
    model text,
    -- 0 to 1,000,000; NULL: as much as the model has answered until now for prompts of this length
    expected_output_tokens int DEFAULT NULL,
    -- out: tokens of the prompt
    OUT input_tokens bigint,
    -- out: tokens of the answer
    OUT output_tokens bigint,
    -- out: US dollars at present prices; NULL: unknown, never free
    OUT estimated_cost numeric
) RETURNS record
    LANGUAGE C STABLE
    AS 'MODULE_PATHNAME', 'aq_estimate_cost';
COMMENT ON FUNCTION @extschema@.estimate_cost(text, text, int) IS
    'About what a prompt will cost: by four characters a token and three quarters of the input as output until the '
    'provider has counted answers of the model, by its count from then on (estimate_cost_error). 42704: no such model; '
    '42725: several providers have it (granted by grant_agent_access)';
