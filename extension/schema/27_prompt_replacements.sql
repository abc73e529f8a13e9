-- What compress_prompt() leaves out or writes shorter, by language. Tested in sql/compress.sql.
--
-- Words with one blank between them, so that nothing that is put in can open a quote or a block of code; and shorter
-- than what they stand for, so that no two rows can send each other round in circles.
CREATE TABLE @extschema@.prompt_replacements (
    language    text COLLATE "C" NOT NULL,
    phrase      text COLLATE "C" NOT NULL,
    replacement text COLLATE "C" NOT NULL DEFAULT '',
    kind        text COLLATE "C" NOT NULL DEFAULT 'filler',
    enabled     boolean NOT NULL DEFAULT true,
    shipped     boolean NOT NULL DEFAULT false,

    CONSTRAINT prompt_replacements_pkey PRIMARY KEY (language, phrase),
    CONSTRAINT prompt_replacements_language_is_valid CHECK (language ~ '^[a-z]{2,8}$'),
    CONSTRAINT prompt_replacements_phrase_is_words
        CHECK (length(phrase) BETWEEN 2 AND 200 AND phrase !~ '[[:cntrl:][:punct:]]|^ |  | $'),
    CONSTRAINT prompt_replacements_replacement_is_words
        CHECK (replacement !~ '[[:cntrl:][:punct:]]|^ |  | $'),
    CONSTRAINT prompt_replacements_replacement_is_shorter
        CHECK (length(replacement) < length(phrase) AND octet_length(replacement) <= octet_length(phrase)),
    CONSTRAINT prompt_replacements_kind_is_known CHECK (kind IN ('filler', 'abbreviation')),
    CONSTRAINT prompt_replacements_kind_fits CHECK ((kind = 'filler') = (replacement = ''))
);
COMMENT ON TABLE @extschema@.prompt_replacements IS
    'What compress_prompt() leaves out (filler) or writes shorter (abbreviation), by language';
COMMENT ON COLUMN @extschema@.prompt_replacements.language IS 'Small letters, e.g. en, es';
COMMENT ON COLUMN @extschema@.prompt_replacements.phrase IS
    'Words with one blank between them, found as whole words and in either case';
COMMENT ON COLUMN @extschema@.prompt_replacements.replacement IS
    'What is written instead, in the case of what was found: shorter, and no more bytes; empty: nothing';
COMMENT ON COLUMN @extschema@.prompt_replacements.kind IS 'filler (replacement is empty) or abbreviation';
COMMENT ON COLUMN @extschema@.prompt_replacements.enabled IS 'false: the row is not used';
COMMENT ON COLUMN @extschema@.prompt_replacements.shipped IS
    'The row came with the extension and was not changed since. UPDATE makes it yours; INSERT of the same key '
    'replaces it. A deleted one is back after a restore: set enabled = false instead';

INSERT INTO @extschema@.prompt_replacements (language, phrase, shipped)
SELECT filler.*, true
FROM (VALUES
    ('es', 'por favor'), ('es', 'es importante que'), ('es', 'ten en cuenta que'), ('es', 'tenga en cuenta que'),
    ('es', 'asegúrate de'), ('es', 'asegúrese de'), ('es', 'quisiera pedirte que'), ('es', 'quisiera pedirle que'),
    ('es', 'me gustaría que'), ('es', 'recuerda que'), ('es', 'cabe destacar que'),
    ('en', 'please'), ('en', 'it is important that'), ('en', 'it is important to note that'),
    ('en', 'keep in mind that'), ('en', 'please note that'), ('en', 'make sure to'), ('en', 'make sure that'),
    ('en', 'I would like to ask you to'), ('en', 'I would like you to'), ('en', 'I want you to'), ('en', 'be sure to'),
    ('en', 'kindly')
) AS filler;
INSERT INTO @extschema@.prompt_replacements (language, phrase, replacement, kind, shipped)
SELECT short.*, 'abbreviation', true
FROM (VALUES
    ('es', 'información', 'info'), ('es', 'descripción', 'desc'), ('es', 'configuración', 'config'),
    ('es', 'documento', 'doc'), ('es', 'documentos', 'docs'), ('es', 'respuesta', 'resp'),
    ('es', 'con el fin de', 'para'), ('es', 'debido a que', 'porque'),
    ('en', 'information', 'info'), ('en', 'description', 'desc'), ('en', 'configuration', 'config'),
    ('en', 'document', 'doc'), ('en', 'documents', 'docs'), ('en', 'documentation', 'docs'), ('en', 'response', 'resp'),
    ('en', 'in order to', 'to'), ('en', 'due to the fact that', 'because')
) AS short;
