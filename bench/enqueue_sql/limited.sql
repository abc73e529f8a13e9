\set n random(1, 1000)
SELECT enqueue_agent('bench', :request, user_id => ('00000000-0000-0000-0000-' || lpad(:n::text, 12, '0'))::uuid);
