-- The shipped price list is possible: what a mistake of typing would break. All but the last query find nothing.
-- The list is of this day; a price may begin later only where it follows another one.
\set list_day '2026-11-21'

-- Reading from a cache is no dearer than reading anew, writing to it no cheaper, and for an hour no cheaper than for
-- five minutes; output is no cheaper than input.
SELECT provider, model, valid_from FROM agent_models
WHERE shipped AND NOT (coalesce(cached_input_usd_per_mtok <= input_usd_per_mtok, true)
                       AND coalesce(cache_write_usd_per_mtok >= input_usd_per_mtok, true)
                       AND coalesce(cache_write_1h_usd_per_mtok >= cache_write_usd_per_mtok, true)
                       AND coalesce(output_usd_per_mtok >= input_usd_per_mtok, true));
-- A price of a part is known only beside that of the whole.
SELECT provider, model, valid_from FROM agent_models
WHERE shipped AND ((input_usd_per_mtok IS NULL) <> (output_usd_per_mtok IS NULL)
                   OR input_usd_per_mtok IS NULL AND num_nonnulls(cached_input_usd_per_mtok, cache_write_usd_per_mtok,
                                                                  cache_write_1h_usd_per_mtok) > 0
                   OR cache_write_usd_per_mtok IS NULL AND cache_write_1h_usd_per_mtok IS NOT NULL);
-- Of two prices of one model the earlier ends no later than the next begins, and leaves no gap before it.
SELECT provider, model, valid_from, valid_to, next_from
FROM (SELECT *, lead(valid_from) OVER (PARTITION BY provider, model ORDER BY valid_from) AS next_from
      FROM agent_models WHERE shipped) AS m
WHERE valid_to <> next_from;
-- No price begins after the day of the list, but for one that takes the place of an earlier one.
SELECT provider, model, valid_from FROM agent_models AS m
WHERE shipped AND valid_from > :'list_day'
  AND NOT EXISTS (SELECT FROM agent_models AS before
                  WHERE before.provider = m.provider AND before.model = m.model AND before.valid_to = m.valid_from);
-- Every model has a price today, or is known to have none that can be told (DeepSeek's depends on the hour).
SELECT provider, model FROM agent_models WHERE shipped
EXCEPT
SELECT provider, model FROM agent_models
WHERE shipped AND valid_from <= :'list_day' AND coalesce(valid_to > :'list_day', true)
  AND (input_usd_per_mtok IS NOT NULL OR provider = 'deepseek');
-- A model is bounded by its context.
SELECT provider, model FROM agent_models WHERE shipped AND max_output_tokens > context_tokens;
-- Models have a provider.
SELECT DISTINCT provider FROM agent_models WHERE shipped
EXCEPT
SELECT name FROM agent_providers WHERE shipped;
-- There is a list at all.
SELECT provider, count(DISTINCT model) >= 1 AS has_models FROM agent_models WHERE shipped GROUP BY 1 ORDER BY 1;
