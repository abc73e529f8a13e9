// How agent_token_ratios is read and added to. Locks: the rows of the models concerned, in their order. "@s@" is the
// extension's schema. Written for a locked search_path.
#pragma once

namespace agent_queue::pg::sql {

// $1 providers, $2 models
inline constexpr const char *kTokenRatios = R"(
  SELECT r.provider, r.model, r.samples, r.prompt_chars, r.input_tokens, r.output_tokens
    FROM unnest($1::text[], $2::text[]) AS m (provider, model)
    JOIN @s@.agent_token_ratios AS r ON r.provider = m.provider AND r.model = m.model)";

// What is known already counts half from a thousand samples on, so that the last thousand or two speak.
// $1 providers, $2 models, $3 samples, $4 characters, $5 input tokens, $6 output tokens, $7 sums of the errors of input
// and $8 of output, $9 now
inline constexpr const char *kAddTokenRatios = R"(
  INSERT INTO @s@.agent_token_ratios AS r (provider, model, samples, prompt_chars, input_tokens, output_tokens,
                                           input_error, output_error, updated_at)
  SELECT a.*, $9
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::float8[],
                $8::float8[]) AS a (provider, model, samples, chars, input, output, input_error, output_error)
  ON CONFLICT (provider, model) DO UPDATE
     SET (samples, prompt_chars, input_tokens, output_tokens, input_error, output_error, updated_at) =
         (SELECT r.samples / k.half + EXCLUDED.samples, r.prompt_chars / k.half + EXCLUDED.prompt_chars,
                 r.input_tokens / k.half + EXCLUDED.input_tokens, r.output_tokens / k.half + EXCLUDED.output_tokens,
                 r.input_error / k.half + EXCLUDED.input_error, r.output_error / k.half + EXCLUDED.output_error,
                 EXCLUDED.updated_at
            FROM (SELECT CASE WHEN r.samples >= 1000 THEN 2 ELSE 1 END AS half) AS k))";

}  // namespace agent_queue::pg::sql
