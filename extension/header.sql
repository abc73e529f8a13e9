-- agent_queue: an LLM job queue inside PostgreSQL. Built by make from extension/; do not edit the built file.
\echo Use "CREATE EXTENSION agent_queue" to load this file. \quit
