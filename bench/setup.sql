-- The configuration of a benchmark: one agent type, one provider at :url, prices; and the tools of the run.
INSERT INTO agent_providers (name, wire_format, base_url) VALUES ('bench', 'openai', :'url')
ON CONFLICT (name) DO UPDATE SET base_url = EXCLUDED.base_url;

INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok, valid_from)
VALUES ('bench', 'stub-small', 0.15, 0.60, '2026-01-01Z')
ON CONFLICT DO NOTHING;

INSERT INTO agent_types (name, max_output_tokens, expires_in) VALUES ('bench', 100, NULL)
ON CONFLICT DO NOTHING;

INSERT INTO agent_routes (agent_type, provider, model) VALUES ('bench', 'bench', 'stub-small')
ON CONFLICT DO NOTHING;

-- Not part of the extension's interface: it is in the library only.
CREATE OR REPLACE FUNCTION aq_store_ceiling() RETURNS boolean LANGUAGE c AS 'agent_queue', 'aq_store_ceiling';

-- Reloads the configuration and returns when so many jobs have been stored. It looks into shared memory and ends its
-- transaction each time: no scan of the table and no old snapshot disturbs what is measured.
CREATE OR REPLACE PROCEDURE bench_wait(
    jobs bigint, INOUT stored_s numeric DEFAULT 0, INOUT answered_s numeric DEFAULT 0,
    INOUT most_in_flight bigint DEFAULT 0, INOUT rounds bigint DEFAULT 0)
LANGUAGE plpgsql AS $$
DECLARE
    before record;
    present record;
    stored_at timestamptz;
    deadline CONSTANT timestamptz := clock_timestamp() + interval '10 min';
BEGIN
    SELECT sum(w.settled) AS settled, sum(w.rounds) AS rounds INTO before FROM agent_workers AS w;
    PERFORM pg_reload_conf();
    LOOP
        COMMIT;
        SELECT sum(w.settled) AS settled, sum(w.rounds) AS rounds, sum(w.in_flight) AS in_flight,
               clock_timestamp() AS at
        INTO present
        FROM agent_workers AS w;
        most_in_flight := greatest(most_in_flight, present.in_flight);
        stored_at := present.at;
        EXIT WHEN present.settled - before.settled >= jobs;
        IF stored_at > deadline THEN
            RAISE EXCEPTION 'only % of % jobs were stored', present.settled - before.settled, jobs;
        END IF;
        PERFORM pg_sleep(0.02);
    END LOOP;
    rounds := present.rounds - before.rounds;
    SELECT round(extract(epoch FROM stored_at - min(started_at)), 3),
           round(extract(epoch FROM max(completed_at) - min(started_at)), 3)
    INTO stored_s, answered_s FROM agent_queue;
END
$$;
