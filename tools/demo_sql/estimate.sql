-- What the jobs cost at most, as text: bytes bound the input tokens, every answer is as long as it may be, every job uses
-- all of its attempts. And what is likely: four bytes a token, one attempt, answers as long as their text or shorter.
-- Prints nothing where no price is known. Variables: provider, model, and those of jobs.sql.
\ir jobs.sql
SELECT format('at most $%s, likely about $%s',
              round(sum((d.bytes * price.input_usd_per_mtok + t.max_output_tokens * price.output_usd_per_mtok)
                        * (1 + t.max_retries)) / 1e6, 2),
              round(sum(d.bytes / 4 * price.input_usd_per_mtok
                        + least(t.max_output_tokens, d.bytes / 4) * price.output_usd_per_mtok) / 1e6, 2))
FROM (
    SELECT j.agent_type, octet_length(j.request::text) + 200 AS bytes FROM demo_jobs AS j
) AS d
JOIN agent_types AS t ON t.name = d.agent_type
CROSS JOIN (
    SELECT m.input_usd_per_mtok, m.output_usd_per_mtok
    FROM agent_models AS m
    WHERE m.provider = :'provider' AND m.model = :'model' AND m.valid_from <= now()
          AND (m.valid_to IS NULL OR m.valid_to > now())
    ORDER BY m.valid_from DESC
    LIMIT 1
) AS price
HAVING sum(price.input_usd_per_mtok + price.output_usd_per_mtok) IS NOT NULL;
