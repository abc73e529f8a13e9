SELECT enqueue_agent('bench', :request);
