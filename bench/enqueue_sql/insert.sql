INSERT INTO agent_queue (agent_type, request_data) VALUES ('bench', :request);
