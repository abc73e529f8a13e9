-- The demo's jobs as a temporary view: every paragraph of the text times seven tasks, as many as are wanted.
-- Variables: jobs. The text comes from the file in $AQ_DEMO_TEXT.
\set text `cat $AQ_DEMO_TEXT`

CREATE TEMPORARY TABLE paragraphs AS
SELECT row_number() OVER () - 1 AS number, regexp_replace(btrim(paragraph), '\s+', ' ', 'g') AS paragraph
FROM regexp_split_to_table(:'text', '\n\s*\n') AS paragraph
WHERE paragraph ~ '\S';

CREATE TEMPORARY TABLE tasks (number bigint, agent_type text, target_lang text);
INSERT INTO tasks VALUES
    (0, 'translate', 'Spanish'), (1, 'translate', 'French'), (2, 'translate', 'German'), (3, 'translate', 'Italian'),
    (4, 'translate', 'Portuguese'), (5, 'summarise', NULL), (6, 'classify', NULL);

-- One paragraph after the other, with all of its tasks; a short text is taken again from its beginning.
CREATE TEMPORARY VIEW demo_jobs AS
SELECT t.agent_type, jsonb_strip_nulls(jsonb_build_object('text', p.paragraph, 'target_lang', t.target_lang)) AS request
FROM generate_series(0, :jobs - 1) AS n
JOIN tasks AS t ON t.number = n % 7
JOIN paragraphs AS p ON p.number = n / 7 % (SELECT count(*) FROM paragraphs)
ORDER BY n;
