-- What check_rate_limit() is compared with: the design that it replaces. A row for each user, endpoint and minute, counted up
-- by PL/pgSQL. Up to twice the limit goes through around the turn of a minute, each request is a write to disk, and all
-- requests of a user wait for one row.
DROP TABLE IF EXISTS forerunner_limits;
CREATE TABLE forerunner_limits (
    user_id uuid NOT NULL,
    endpoint varchar NOT NULL,
    window_start timestamptz NOT NULL,
    request_count int NOT NULL DEFAULT 1,
    PRIMARY KEY (user_id, endpoint, window_start)
);

CREATE OR REPLACE FUNCTION forerunner_check(p_user_id uuid, p_endpoint varchar, p_max_requests int DEFAULT 10,
                                            p_window_minutes int DEFAULT 1) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    this_window CONSTANT timestamptz := date_trunc('minute', now());
    counted int;
BEGIN
    DELETE FROM forerunner_limits
    WHERE user_id = p_user_id AND endpoint = p_endpoint
      AND window_start < this_window - make_interval(mins => p_window_minutes);
    INSERT INTO forerunner_limits AS l (user_id, endpoint, window_start)
    VALUES (p_user_id, p_endpoint, this_window)
    ON CONFLICT (user_id, endpoint, window_start) DO UPDATE SET request_count = l.request_count + 1
    RETURNING l.request_count INTO counted;
    RETURN counted <= p_max_requests;
END
$$;
