# The extension comes, moves and goes while work is in flight: CREATE and DROP EXTENSION, DROP DATABASE, RENAME, a
# database made from a template, and start_paused.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use PostgreSQL::Test::Cluster;
use Test::More;

start_imposter();
my $node;

my @slow = ('slow', '/delay/5000/slow', type => { max_retries => 0 });

# A database with the extension and twenty calls in flight.
sub busy_database
{
	my ($node, $database) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	create_extension($node, $database);
	define_agent($node, $database, @slow);
	enqueue($node, $database, 'slow', count => 20);
	wait_in_flight($node, $database, 20);
	return;
}

sub is_quick
{
	my ($node, $statement) = @_;
	my $took = seconds_of { $node->safe_psql('postgres', $statement) };
	diag(sprintf '%s: %.2f s', $statement, $took);
	cmp_ok($took, '<', 5, "with calls in flight: $statement");
	return;
}

sub echoes
{
	my ($node, $database, $what) = @_;
	is(wait_agent($node, $database, enqueue($node, $database, 'echo')), 'Hello', $what);
	return;
}

sub no_worker_left
{
	my ($database) = @_;
	return $node->poll_query_until($database,
		q{SELECT count(*) = 0 FROM pg_stat_activity
		  WHERE datname = current_database() AND backend_type = 'agent_queue worker'});
}

# ---- without the library

$node = PostgreSQL::Test::Cluster->new('life_cycle');
$node->init;
$node->append_conf('postgresql.conf', 'log_statement = none');
$node->start;
my ($status, $out, $err) = $node->psql('postgres', 'CREATE EXTENSION agent_queue');
like($err, qr/agent_queue must be loaded via shared_preload_libraries/, 'not without preloading');
like($err, qr/HINT:  Add agent_queue to shared_preload_libraries/, 'the hint says what to do');

$node->append_conf('postgresql.conf', preload_conf());
$node->restart;

# ---- CREATE EXTENSION after the start, in two databases

create_extension($node, 'postgres');
echoes($node, 'postgres', 'a job in the first database');
$node->safe_psql('postgres', 'CREATE DATABASE second');
my $took = seconds_of { create_extension($node, 'second') };
diag(sprintf 'CREATE EXTENSION to idle worker: %.2f s', $took);
cmp_ok($took, '<', 5, 'CREATE EXTENSION after the start brings a worker');
echoes($node, 'second', 'a job in the second database');

# ---- DROP EXTENSION

define_agent($node, 'second', @slow);
enqueue($node, 'second', 'slow', count => 20);
wait_in_flight($node, 'second', 20);
$took = seconds_of { $node->safe_psql('second', 'DROP EXTENSION agent_queue CASCADE') };
cmp_ok($took, '<', 5, 'DROP EXTENSION with calls in flight');
ok(no_worker_left('second'), 'its workers end');
echoes($node, 'postgres', 'the other database goes on');
create_extension($node, 'second');
echoes($node, 'second', 'created again, it works again');
wait_for_workers($node, 'second', 1);
$took = seconds_of
{
	$node->safe_psql('second', 'DROP EXTENSION agent_queue CASCADE');
	ok(no_worker_left('second'), 'idle workers end as well');
};
cmp_ok($took, '<', 5, 'at once');


# What goes and comes again at once is no failure that a launcher had to be patient with.
$took = seconds_of
{
	for my $turn (1 .. 5)
	{
		create_extension($node, 'second');
		$node->safe_psql('second', 'DROP EXTENSION agent_queue CASCADE');
	}
};
diag(sprintf 'five times CREATE and DROP EXTENSION: %.2f s', $took);
cmp_ok($took, '<', 4, 'five times created and dropped');

# ---- the database itself

busy_database($node, 'to_drop');
is_quick($node, 'DROP DATABASE to_drop');

busy_database($node, 'to_rename');
is_quick($node, 'ALTER DATABASE to_rename RENAME TO renamed');
echoes($node, 'renamed', 'workers come back after RENAME');
jobs_done($node, 'renamed');
is($node->safe_psql('renamed', q{SELECT count(*) FROM agent_queue WHERE error_code = 'uncertain'}),
	20, 'the calls that RENAME cut off are uncertain');

reset_calls();
busy_database($node, 'original');
is_quick($node, 'CREATE DATABASE copy TEMPLATE original');
echoes($node, 'original', 'workers come back after CREATE DATABASE … TEMPLATE');

# ---- a copy runs nothing

wait_for_workers($node, 'copy', 1);
my $waiting = enqueue($node, 'copy', 'echo');
is($node->safe_psql('copy', q{SELECT DISTINCT state FROM agent_workers}), 'paused', 'the worker of a copy is paused');
like(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/WARNING:  agent_queue: this database is a copy/, 'and says so');
is($node->safe_psql('copy', q{SELECT count(*) FROM api_usage}), 0, 'no usage of calls that the original made');
is(job($node, 'copy', $waiting)->{status}, 'pending', 'a job of the copy waits');
$node->safe_psql('copy', 'SELECT adopt_jobs()');
is(wait_agent($node, 'copy', $waiting), 'Hello', 'after adopt_jobs() it runs');

# ---- start_paused

set_and_reload($node, 'agent_queue.start_paused' => 'on');
$node->poll_query_until('postgres', q{SELECT bool_and(state = 'paused') FROM agent_workers});
my $paused = enqueue($node, 'postgres', 'echo');
is(job($node, 'postgres', $paused)->{status}, 'pending', 'start_paused: a job waits');
set_and_reload($node, 'agent_queue.start_paused' => 'off');
is(wait_agent($node, 'postgres', $paused), 'Hello', 'and runs when it is turned off');

finish($node,
	allow => [ qr/must be loaded via shared_preload_libraries/, qr/WARNING:  agent_queue: this database is a copy/ ]);
done_testing();
