INSERT INTO bare (created_at, run_at, priority, max_retries, status, queue, agent_type, request_data, claim_key)
VALUES (now(), now(), 5, 3, 'pending', 'agents', 'bench', :request, (extract(epoch FROM now()) * 1000000)::bigint);
