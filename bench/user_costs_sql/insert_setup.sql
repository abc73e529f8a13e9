-- A month's partition as it is, and as it would be without ids.
DROP TABLE IF EXISTS with_id, without_id;
DROP SEQUENCE IF EXISTS with_id_seq;
CREATE SEQUENCE with_id_seq;
CREATE TABLE with_id (LIKE :partition INCLUDING ALL);
ALTER TABLE with_id ALTER id SET DEFAULT nextval('with_id_seq');
CREATE TABLE without_id (LIKE :partition INCLUDING ALL);
ALTER TABLE without_id DROP COLUMN id;
CREATE SEQUENCE IF NOT EXISTS bench_attempts;
