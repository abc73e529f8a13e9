-- Values tied to tables: each change of a row is a new version of what depends on it, in the same transaction.
\set SHOW_CONTEXT never
DELETE FROM cache_store;
DELETE FROM cache_versions;
CREATE TABLE watched (id int PRIMARY KEY, body text);
INSERT INTO watched SELECT n, 'old' FROM generate_series(1, 5) AS n;
SELECT cache_set('w', '0', '"before"', dependencies => '{watched:1}');
-- Of what changed before the watch nobody was told: it begins with nothing.
SELECT cache_watch('watched');
SELECT cache_get('w', '0') IS NULL AS miss;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'watched'::regclass ORDER BY tgname;

CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS $$
    SELECT cache_set('w', to_jsonb(n), to_jsonb(n), dependencies => ARRAY['watched:' || n]) FROM generate_series(1, 7) AS n
$$;
CREATE FUNCTION found() RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(n::text, ' ' ORDER BY n), 'none') FROM generate_series(1, 7) AS n
    WHERE cache_get('w', to_jsonb(n)) IS NOT NULL
$$;
SELECT fill();
SELECT found();
-- UPDATE, DELETE, INSERT; a new key is both.
UPDATE watched SET body = 'new' WHERE id IN (1, 2);
SELECT found();
DELETE FROM watched WHERE id = 3;
SELECT found();
INSERT INTO watched VALUES (6, 'new');
SELECT found();
UPDATE watched SET id = 7 WHERE id = 4;
SELECT found();
-- A statement that changes nothing, and one that is rolled back.
UPDATE watched SET body = 'none' WHERE false;
BEGIN;
UPDATE watched SET body = 'undone' WHERE id = 5;
SELECT found();
ROLLBACK;
SELECT found();
-- ON CONFLICT, and COPY.
SELECT fill();
INSERT INTO watched VALUES (5, 'x') ON CONFLICT (id) DO UPDATE SET body = 'y';
SELECT found();
COPY watched FROM stdin;
3	copied
\.
SELECT found();
-- TRUNCATE is all of it.
SELECT fill();
TRUNCATE watched;
SELECT found();
-- So is a statement that changes more than a thousand; up to that each is one.
SELECT fill();
SELECT version AS before FROM cache_versions WHERE dependency = 'watched:*' \gset
INSERT INTO watched SELECT n, 'bulk' FROM generate_series(1001, 2000) AS n;
SELECT version = :before AS is_same, (SELECT count(*) FROM cache_versions) > 1000 AS one_each
FROM cache_versions WHERE dependency = 'watched:*';
SELECT found();
UPDATE watched SET body = 'x', id = id + 5000;
SELECT version = :before + 1 AS is_next FROM cache_versions WHERE dependency = 'watched:*';
SELECT found();

-- The column is renamed: all of it, and a word.
SELECT fill();
ALTER TABLE watched RENAME COLUMN id TO number;
INSERT INTO watched VALUES (1, 'x');
SELECT found();
-- Again, with another prefix: still four triggers.
SELECT cache_watch('watched', 'number', 'pages');
SELECT cache_set('w', '"p"', '1', dependencies => '{pages:1}'), fill();
UPDATE watched SET body = 'z' WHERE number = 1;
SELECT cache_get('w', '"p"') IS NULL AS miss, found();
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'watched'::regclass;
SELECT cache_unwatch('watched');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'watched'::regclass;
SELECT cache_unwatch('watched');

-- Keys of any type, as text that hangs on no setting; NULL is no key.
CREATE DOMAIN watched_code AS char(5);
CREATE TABLE watched_types (i bigint, u uuid, t timestamptz, f float8, b bytea, c watched_code, n numeric, e text);
SET DateStyle = 'German';
SET TimeZone = 'Asia/Tokyo';
SET bytea_output = 'escape';
SET extra_float_digits = -15;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY '{i,u,t,f,b,c,n,e}'::text[] LOOP
        PERFORM cache_watch('watched_types', name, 'by_' || name);
        INSERT INTO watched_types VALUES (9223372036854775807, '00000000-0000-0000-0000-0000000000A1',
                                          '2026-01-02 03:04:05+00', 0.1, '\x00ff', 'ab', 1.50, 'años: 3');
        INSERT INTO watched_types DEFAULT VALUES;
    END LOOP;
END
$$;
SHOW DateStyle;
RESET DateStyle;
RESET TimeZone;
RESET bytea_output;
RESET extra_float_digits;
SELECT dependency FROM cache_versions WHERE dependency LIKE 'by\_%' AND dependency NOT LIKE '%:*' ORDER BY dependency;
-- Too long to depend on: passed over, not in the way.
INSERT INTO watched_types (e) VALUES (repeat('x', 300));
SELECT count(*) FROM cache_versions WHERE dependency LIKE '%xxx%';

-- Partitions: by the root and by each partition.
CREATE TABLE watched_parts (id int, body text) PARTITION BY RANGE (id);
CREATE TABLE watched_parts_1 PARTITION OF watched_parts FOR VALUES FROM (1) TO (100);
CREATE TABLE watched_parts_2 PARTITION OF watched_parts FOR VALUES FROM (100) TO (200);
INSERT INTO watched_parts VALUES (1, 'x'), (150, 'y');
SELECT cache_watch('watched_parts', prefix => 'watched');
SELECT tgrelid::regclass::text AS relation, count(*) FROM pg_trigger WHERE tgname LIKE 'agent\_queue\_cache%'
GROUP BY 1 ORDER BY 1;
SELECT fill();
INSERT INTO watched_parts VALUES (2, 'x');
SELECT found();
UPDATE watched_parts_1 SET body = 'direct' WHERE id = 1;
SELECT found();
-- From one partition into the other.
UPDATE watched_parts SET id = 3 WHERE id = 150;
SELECT found();
TRUNCATE watched_parts_2;
SELECT found();
SELECT cache_unwatch('watched_parts');
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'agent\_queue\_cache%' AND tgrelid::regclass::text LIKE 'watched_parts%';

-- Refused.
CREATE VIEW watched_view AS SELECT 1 AS id;
SELECT cache_watch('watched_view');
SELECT cache_watch('watched', 'no_such_column');
SELECT cache_watch('watched', 'number', 'a:b');
SELECT cache_watch('watched', 'number', '');
SELECT cache_watch('cache_versions', 'dependency');
SELECT cache_watch(NULL);
SELECT cache_watch(1), cache_unwatch(1);
CREATE TRIGGER wrong AFTER INSERT ON watched FOR EACH ROW EXECUTE FUNCTION agent_queue_cache_changed('number', 'x');
INSERT INTO watched VALUES (99, 'x');
DROP TRIGGER wrong ON watched;

-- Only the table's owner watches it; who writes it needs no rights on the cache, and gets none.
CREATE ROLE regress_agent_watcher;
CREATE ROLE regress_agent_writer;
GRANT EXECUTE ON FUNCTION cache_watch(regclass, text, text), cache_unwatch(regclass), agent_queue_cache_changed()
    TO regress_agent_watcher;
GRANT USAGE ON SCHEMA public TO regress_agent_watcher, regress_agent_writer;
SET ROLE regress_agent_watcher;
SELECT cache_watch('watched', 'number');
SELECT cache_unwatch('watched');
CREATE TEMP TABLE watched_own (id int);
SELECT cache_watch('watched_own');
RESET ROLE;
-- Who writes has no right to see or to bump versions, and does so by writing.
CREATE TABLE watched_shared (id int, body text);
ALTER TABLE watched_shared OWNER TO regress_agent_watcher;
GRANT INSERT ON watched_shared TO regress_agent_writer;
SET ROLE regress_agent_watcher;
SELECT cache_watch('watched_shared');
SET ROLE regress_agent_writer;
INSERT INTO watched_shared VALUES (77, 'x');
SELECT count(*) FROM cache_versions;
RESET ROLE;
SELECT * FROM cache_versions WHERE dependency = 'watched_shared:77';

DROP TABLE watched, watched_types, watched_parts, watched_shared, watched_own;
DROP DOMAIN watched_code;
DROP VIEW watched_view;
DROP FUNCTION fill(), found();
DELETE FROM cache_store;
DELETE FROM cache_versions;
REVOKE USAGE ON SCHEMA public FROM regress_agent_watcher, regress_agent_writer;
REVOKE EXECUTE ON FUNCTION cache_watch(regclass, text, text), cache_unwatch(regclass), agent_queue_cache_changed()
    FROM regress_agent_watcher;
DROP ROLE regress_agent_watcher, regress_agent_writer;
