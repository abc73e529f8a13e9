# Rows that are in the way of a claim, and jobs that no hint points to: each costs itself a delay and nobody else anything.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('claims', conf => "agent_queue.poll_interval = 200ms\n");
my $done = q{SELECT count(*) FROM agent_queue WHERE status = 'completed'};

# ---- a trigger that refuses the claim of one row

$node->safe_psql(
	'postgres', q{
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'this one is not to be touched'; END $$;
	CREATE TRIGGER refuse BEFORE UPDATE ON agent_queue FOR EACH ROW
		WHEN (NEW.request_data ->> 'text' = 'refused') EXECUTE FUNCTION refuse();
	INSERT INTO agent_queue (agent_type, request_data)
	SELECT 'echo', jsonb_build_object('text', CASE n WHEN 5 THEN 'refused' ELSE 'fine' END)
	FROM generate_series(1, 50) AS n});
ok($node->poll_query_until('postgres', "SELECT ($done) = 49"), 'a row that cannot be claimed holds up nobody');
is($node->safe_psql('postgres', q{SELECT request_data ->> 'text' FROM agent_queue WHERE status = 'pending'}),
	'refused', 'it is the one that waits');
like(slurp_file($node->logfile), qr/job \d+ cannot be claimed: this one is not to be touched; it is passed over/,
	'the log names it');
$node->safe_psql('postgres', 'DROP TRIGGER refuse ON agent_queue; DELETE FROM agent_queue');

# ---- a trigger that refuses the promotion of one row

$node->safe_psql(
	'postgres', q{
	CREATE TRIGGER refuse BEFORE UPDATE ON agent_queue FOR EACH ROW
		WHEN (OLD.status = 'scheduled' AND NEW.request_data ->> 'text' = 'refused') EXECUTE FUNCTION refuse();
	INSERT INTO agent_queue (agent_type, request_data, run_at)
	SELECT 'echo', jsonb_build_object('text', CASE n WHEN 5 THEN 'refused' ELSE 'fine' END), clock_timestamp() + interval '1 s'
	FROM generate_series(1, 50) AS n});
ok($node->poll_query_until('postgres', "SELECT ($done) = 49"), 'a row that cannot be promoted holds up nobody');
is($node->safe_psql('postgres', q{SELECT request_data ->> 'text' FROM agent_queue WHERE status = 'scheduled'}),
	'refused', 'it is the one that stays scheduled');
like(slurp_file($node->logfile), qr/job \d+ cannot be promoted: this one is not to be touched; it is passed over/,
	'the log names it');
$node->safe_psql('postgres', 'DROP TRIGGER refuse ON agent_queue; DELETE FROM agent_queue');

# ---- a trigger that keeps a row as it is, without an error

$node->safe_psql(
	'postgres', q{
	CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
	CREATE TRIGGER keep BEFORE UPDATE ON agent_queue FOR EACH ROW
		WHEN (NEW.request_data ->> 'text' = 'kept') EXECUTE FUNCTION keep();
	INSERT INTO agent_queue (agent_type, request_data)
	SELECT 'echo', jsonb_build_object('text', CASE n WHEN 5 THEN 'kept' ELSE 'fine' END)
	FROM generate_series(1, 50) AS n});
ok($node->poll_query_until('postgres', "SELECT ($done) = 49"), 'a row that stays as it is holds up nobody');
is( $node->safe_psql(
		'postgres', q{
		SELECT count(*) FROM api_usage AS u JOIN agent_queue AS q ON q.id = u.queue_id WHERE q.status = 'pending'}),
	'0', 'and it is not called while it was never claimed');
like(slurp_file($node->logfile), qr/job \d+ cannot be claimed: a trigger on agent_queue kept 1 of 1 rows as they were/,
	'the log names it');
$node->safe_psql('postgres', 'DROP TRIGGER keep ON agent_queue; DELETE FROM agent_queue');

# ---- the agent type's own queue is paused, the job is in another

$node->safe_psql(
	'postgres', q{
	UPDATE agent_queues SET paused = true WHERE name = 'reports';
	INSERT INTO agent_types (name, queue) VALUES ('report', 'reports');
	INSERT INTO agent_routes (agent_type, provider, model) VALUES ('report', 'echo', 'echo');
	INSERT INTO agent_queue (agent_type, request_data, expires_at) VALUES ('report', '{"text": "moved"}', 'infinity')});
$node->safe_psql('postgres', q{UPDATE agent_queue SET queue = 'agents' WHERE agent_type = 'report'});
ok($node->poll_query_until('postgres', "SELECT ($done) = 1"), 'a job that was moved out of a paused queue runs');

# ---- more lanes than room

$node->safe_psql('postgres', q{UPDATE agent_queues SET paused = true WHERE name = 'agents'});
set_and_reload($node, 'agent_queue.claim_batch' => 1, 'agent_queue.poll_interval' => '60s');
$node->safe_psql(
	'postgres', q{
	INSERT INTO agent_types (name) SELECT 'lane' || n FROM generate_series(1, 8) AS n;
	INSERT INTO agent_routes (agent_type, provider, model) SELECT 'lane' || n, 'echo', 'echo' FROM generate_series(1, 8) AS n;
	INSERT INTO agent_queue (agent_type, request_data) SELECT 'lane' || n, '{"text": "x"}' FROM generate_series(1, 8) AS n});
my $seconds = seconds_of {
	$node->safe_psql('postgres', q{UPDATE agent_queues SET paused = false WHERE name = 'agents'});
	$node->poll_query_until('postgres', "SELECT ($done) = 9");
};
cmp_ok($seconds, '<', 20, 'a sweep comes back to the lanes that it had no room for');

# ---- a renamed schema

$node->safe_psql('postgres', 'CREATE DATABASE elsewhere');
$node->safe_psql(
	'elsewhere', q{
	CREATE SCHEMA q; CREATE EXTENSION agent_queue SCHEMA q;
	INSERT INTO q.agent_types (name) VALUES ('echo');
	INSERT INTO q.agent_routes (agent_type, provider, model) VALUES ('echo', 'echo', 'echo')});
$node->safe_psql('elsewhere', q{INSERT INTO q.agent_queue (agent_type, request_data) VALUES ('echo', '{"text": "a"}')});
ok( $node->poll_query_until('elsewhere', q{SELECT status = 'completed' FROM q.agent_queue}),
	'a job in a schema of its own runs');
$node->safe_psql('elsewhere', 'ALTER SCHEMA q RENAME TO r');
$node->safe_psql('elsewhere', q{INSERT INTO r.agent_queue (agent_type, request_data) VALUES ('echo', '{"text": "b"}')});
ok( $node->poll_query_until('elsewhere', q{SELECT bool_and(status = 'completed') FROM r.agent_queue}),
	'after the schema was renamed jobs run as before');

# ---- bytes that are no text, where the database takes any

$node->safe_psql('postgres',
	q{CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'});
create_extension($node, 'bytes');
$node->safe_psql(
	'bytes', q{
	INSERT INTO agent_queue (agent_type, request_data) VALUES ('echo', E'{"text": "caf\\xe9"}'), ('echo', '{"text": "tea"}')});
ok( $node->poll_query_until('bytes', q{SELECT bool_and(status = 'completed') FROM agent_queue}),
	'foreign bytes in a request hold up nobody');
is($node->safe_psql('bytes', q{SELECT string_agg(result ->> 'text', ',' ORDER BY id) FROM agent_queue}),
	"caf\xef\xbf\xbd,tea", 'and are cleaned');

finish($node, allow => [qr/this one is not to be touched/, qr/kept \d+ of \d+ rows as they were/, qr/relation "q\.\w+" does not exist/]);

done_testing();
