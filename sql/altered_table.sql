-- Somebody alters a column of the hot table. That is refused where it matters, in words: what a session has learned of
-- the table before is no reason to read a text as a time.
INSERT INTO agent_types (name) VALUES ('t_altered');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('t_altered', 'echo', 'echo');
SELECT enqueue_agent('t_altered', '{"text": "before"}') AS id \gset
SELECT wait_agent(:id) ->> 'text' AS text;

-- Another type. In a transaction, so that no worker sees it.
BEGIN;
ALTER TABLE agent_queue ALTER created_at TYPE text;
INSERT INTO agent_queue (agent_type, request_data) VALUES ('t_altered', '{"text": "altered"}');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

BEGIN;
ALTER TABLE agent_queue ALTER input_tokens TYPE int;
INSERT INTO agent_queue (agent_type, request_data) VALUES ('t_altered', '{"text": "altered"}');
ROLLBACK;

-- What the table's CHECK reads cannot be altered at all.
ALTER TABLE agent_queue ALTER priority TYPE bigint;

-- Another name; and one that another column of the same type has taken.
BEGIN;
ALTER TABLE agent_queue RENAME provider TO supplier;
INSERT INTO agent_queue (agent_type, request_data) VALUES ('t_altered', '{"text": "altered"}');
ROLLBACK;
BEGIN;
ALTER TABLE agent_queue RENAME provider TO swapped;
ALTER TABLE agent_queue RENAME idempotency_key TO provider;
ALTER TABLE agent_queue RENAME swapped TO idempotency_key;
INSERT INTO agent_queue (agent_type, request_data, idempotency_key) VALUES ('t_altered', '{"text": "swapped"}', 'mine')
RETURNING provider, idempotency_key;
ROLLBACK;

-- A column of the user's own is fine, before and after it is there.
BEGIN;
ALTER TABLE agent_queue ADD note text;
INSERT INTO agent_queue (agent_type, request_data, note) VALUES ('t_altered', '{"text": "more"}', 'mine') RETURNING note;
ROLLBACK;

-- What is read of a finished job is cast.
ALTER TABLE agent_queue ALTER result TYPE text;
SELECT wait_agent(:id) ->> 'text' AS text;
ALTER TABLE agent_queue ALTER result TYPE jsonb USING result::jsonb;

SELECT enqueue_agent('t_altered', '{"text": "after"}') AS id \gset
SELECT wait_agent(:id) ->> 'text' AS text;

DELETE FROM agent_queue WHERE agent_type = 't_altered';
DELETE FROM agent_routes WHERE agent_type = 't_altered';
DELETE FROM agent_types WHERE name = 't_altered';
