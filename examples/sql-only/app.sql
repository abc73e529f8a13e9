-- A shop whose complaints are summarised: no program beside the database. psql -f examples/sql-only/app.sql
\set ON_ERROR_STOP on
\ir ../agent.sql

CREATE SCHEMA shop;
CREATE TABLE shop.orders (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer text NOT NULL
);
CREATE TABLE shop.complaints (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES shop.orders,
    body     text NOT NULL,
    job      bigint
);

-- The job is enqueued in the transaction that stores the complaint, and taken back with it.
CREATE FUNCTION shop.summarise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.job := enqueue_agent('summarise', jsonb_build_object('text', NEW.body), idempotency_key => 'shop-' || NEW.id);
    RETURN NEW;
END
$$;
CREATE TRIGGER summarise BEFORE INSERT ON shop.complaints FOR EACH ROW EXECUTE FUNCTION shop.summarise();

-- What support reads: the answer is where the job is.
CREATE VIEW shop.inbox AS
SELECT c.id, o.customer, coalesce(q.result ->> 'summary', '(' || q.status || ')') AS summary, q.error_message
FROM shop.complaints AS c
JOIN shop.orders AS o ON o.id = c.order_id
LEFT JOIN agent_queue AS q ON q.id = c.job;

INSERT INTO shop.orders (customer) VALUES ('Ada'), ('Grace');
INSERT INTO shop.complaints (order_id, body)
SELECT o.id, 'The lamp of ' || o.customer || ' came without its bulb, and nobody answers the telephone.' FROM shop.orders AS o;
BEGIN;
INSERT INTO shop.complaints (order_id, body) VALUES (1, 'A mistake, never sent.');
ROLLBACK;

-- An application would go on; a script waits.
SELECT c.id, wait_agent(c.job) ->> 'summary' AS summary FROM shop.complaints AS c ORDER BY c.id;
SELECT customer, summary FROM shop.inbox ORDER BY id;
