-- compress_prompt() and its phrases. In one transaction, taken back. The CONTEXT of errors is left out.
\set SHOW_CONTEXT never
\set ON_ERROR_ROLLBACK on
BEGIN;
-- Spanish and English, by the shipped rows.
SELECT compress_prompt('Por favor, traduce la información del Documento. Es importante que la respuesta sea breve, por favor.', 'es');
SELECT compress_prompt('Quisiera pedirte que traduzcas la DESCRIPCIÓN. Ten en cuenta que la configuración cambia. Asegúrate de revisarla.', 'es');
SELECT compress_prompt('Please translate the information in the document. It is important that the response is short, please.', 'en');
SELECT compress_prompt('I would like to ask you to keep the configuration. Keep in mind that the description matters. Make sure to check.', 'en');
-- One language leaves the other alone; without one, all are used.
SELECT compress_prompt('Please, por favor: la información, the information', 'es');
SELECT compress_prompt('Please read la información and the information');
-- Whole words only, no paths, nothing in code, quotes or JSON.
SELECT compress_prompt('informational pleasers https://example.org/information my-information information.txt');
SELECT compress_prompt(E'Please run `please` on "please", «por favor» and {"description": "please", "a": [1]}.\n```\nplease\n```\n    please\nplease go');
-- Lines.
SELECT compress_prompt(E'Be brief.\nBe brief.\nAnswer in one short sentence.\nx\nAnswer in one short sentence.\n1\n1');
-- The same again changes nothing.
SELECT compress_prompt(compress_prompt(p)) = compress_prompt(p) AS settled
FROM (VALUES ('Por por favor favor, please please note that information'), ('')) AS v (p);
SELECT compress_prompt(NULL) IS NULL AS none, compress_prompt(NULL, 'es') IS NULL AS none_either;
-- As much as a request may have, and no more: by bytes.
SELECT length(compress_prompt(repeat('x', 1048576))) AS fits;
SELECT compress_prompt(repeat('x', 1048577));
SELECT compress_prompt(repeat('ñ', 524289), 'es');
-- Unknown languages.
SELECT compress_prompt('x', 'xx');
SELECT compress_prompt('x', '');

-- The rows: in force at once, replaced as a whole, switched off.
INSERT INTO prompt_replacements (language, phrase) VALUES ('de', 'bitte');
SELECT compress_prompt('Bitte antworte.', 'de'), compress_prompt('Bitte antworte, please.');
INSERT INTO prompt_replacements (language, phrase, replacement, kind) VALUES ('en', 'information', 'inf', 'abbreviation');
SELECT compress_prompt('information', 'en'), (SELECT shipped FROM prompt_replacements WHERE phrase = 'information');
UPDATE prompt_replacements SET enabled = false WHERE language = 'en' AND phrase = 'please';
SELECT compress_prompt('please', 'en'), compress_prompt('Go, please', 'en'), shipped FROM prompt_replacements WHERE phrase = 'please';
DELETE FROM prompt_replacements WHERE language = 'de';
SELECT compress_prompt('Bitte antworte.', 'de');

-- Bad rows.
\set VERBOSITY terse
INSERT INTO prompt_replacements (language, phrase) VALUES ('EN', 'word');
INSERT INTO prompt_replacements (language, phrase) VALUES ('en', '');
INSERT INTO prompt_replacements (language, phrase) VALUES ('en', 'two  blanks');
INSERT INTO prompt_replacements (language, phrase) VALUES ('en', 'with "quotes"');
INSERT INTO prompt_replacements (language, phrase) VALUES ('en', E'two\nlines');
INSERT INTO prompt_replacements (language, phrase, replacement, kind) VALUES ('en', 'short', 'longer', 'abbreviation');
INSERT INTO prompt_replacements (language, phrase, replacement, kind) VALUES ('en', 'four', 'ñññ', 'abbreviation');
INSERT INTO prompt_replacements (language, phrase, replacement, kind) VALUES ('en', 'word', '`', 'abbreviation');
INSERT INTO prompt_replacements (language, phrase, replacement, kind) VALUES ('en', 'word', 'w', 'filler');
INSERT INTO prompt_replacements (language, phrase, kind) VALUES ('en', 'word', 'abbreviation');
INSERT INTO prompt_replacements (language, phrase, replacement, kind) VALUES ('en', 'word', 'w', 'noise');
INSERT INTO agent_types (name, compress_language) VALUES ('t_compress', 'English');

-- Users may compress; the phrases are the administrator's.
CREATE ROLE regress_agent_compress;
SELECT grant_agent_access('regress_agent_compress');
SET ROLE regress_agent_compress;
SELECT compress_prompt('Go, please: information');
SELECT count(*) FROM prompt_replacements;
RESET ROLE;
ROLLBACK;
\set ON_ERROR_ROLLBACK off
