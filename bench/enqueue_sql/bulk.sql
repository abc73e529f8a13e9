-- Milliseconds of one statement and its commit; the table is empty and checkpointed before.
CREATE OR REPLACE PROCEDURE bench_bulk(kind text, jobs bigint, bytes int, INOUT took_ms numeric DEFAULT 0)
LANGUAGE plpgsql AS $$
DECLARE
    began timestamptz;
    stored bigint;
BEGIN
    TRUNCATE agent_queue, bare;
    COMMIT;
    CHECKPOINT;
    began := clock_timestamp();
    IF kind = 'bare' THEN
        INSERT INTO bare (created_at, run_at, priority, max_retries, status, queue, agent_type, request_data, claim_key)
        SELECT now(), now(), 5, 3, 'pending', 'agents', 'bench',
               jsonb_build_object('prompt', rpad(n || '. ', bytes, 'An order came late and damaged. ')),
               (extract(epoch FROM now()) * 1000000)::bigint
        FROM generate_series(1, jobs) AS n;
        GET DIAGNOSTICS stored = ROW_COUNT;
    ELSE
        SELECT count(*) INTO stored
        FROM enqueue_agents(
            'bench',
            ARRAY(SELECT jsonb_build_object('prompt', rpad(n || '. ', bytes, 'An order came late and damaged. '))
                  FROM generate_series(1, jobs) AS n));
    END IF;
    COMMIT;
    took_ms := round(extract(epoch FROM clock_timestamp() - began) * 1000, 3);
    IF stored <> jobs THEN
        RAISE EXCEPTION '% of % jobs were stored', stored, jobs;
    END IF;
END
$$;
