-- How far off estimate_cost() is. Tested in test/tap/320_estimates.pl.
CREATE OR REPLACE VIEW @extschema@.estimate_cost_error WITH (security_invoker = true) AS
SELECT r.provider, r.model, r.samples,
       round(r.prompt_chars::numeric / nullif(r.input_tokens, 0), 3) AS chars_per_token,
       round(r.output_tokens::numeric / nullif(r.input_tokens, 0), 3) AS output_per_input,
       round((100 * r.input_error / nullif(r.samples, 0))::numeric, 1) AS input_error_percent,
       round((100 * r.output_error / nullif(r.samples, 0))::numeric, 1) AS output_error_percent,
       r.updated_at
FROM @extschema@.agent_token_ratios AS r;

COMMENT ON VIEW @extschema@.estimate_cost_error IS
    'How far off the estimates of estimate_cost() were, by model: each answer is estimated by what was known before it';
COMMENT ON COLUMN @extschema@.estimate_cost_error.samples IS 'Answers that were counted; from 1,000 on the older ones half';
COMMENT ON COLUMN @extschema@.estimate_cost_error.chars_per_token IS
    'What the estimate goes by; 4 for models that are not here';
COMMENT ON COLUMN @extschema@.estimate_cost_error.output_per_input IS
    'Tokens of output for one of input, as the estimate goes by; 0.75 for models that are not here';
COMMENT ON COLUMN @extschema@.estimate_cost_error.input_error_percent IS
    'Mean absolute error of the estimated input tokens, in per cent of what the provider counted';
COMMENT ON COLUMN @extschema@.estimate_cost_error.output_error_percent IS
    '… of the output tokens, where no expected_output_tokens are given';
