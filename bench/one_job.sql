SELECT enqueue_agent('bench', '{"prompt": "An order came late and damaged, says the letter."}') AS id \gset
SELECT wait_agent(:id, '30 s');
