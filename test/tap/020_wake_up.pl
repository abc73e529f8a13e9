# What wakes a worker and what does not. The poll interval is a minute: whatever happens within seconds was woken.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;

start_imposter();
my $node = new_cluster('wake_up');
define_agent($node, 'postgres', 'half_second', '/delay/500/half_second');
my $request = q{'{"text": "Hello"}'};

# Runs the statements and returns how often workers were woken meanwhile.
sub wakeups_of
{
	my ($sql) = @_;
	wait_for_workers($node, 'postgres', 1);
	my $before = worker_sum($node, 'postgres', 'wakeups');
	$node->safe_psql('postgres', $sql);
	return worker_sum($node, 'postgres', 'wakeups') - $before;
}

# From commit to the end of the job, by the clock of the server.
sub is_prompt
{
	my ($id, $what) = @_;
	ok($node->poll_query_until('postgres', "SELECT status = 'completed' FROM agent_queue WHERE id = $id"), "$what runs");
	my $took = $node->safe_psql('postgres',
		"SELECT round(extract(epoch FROM completed_at - greatest(run_at, created_at)), 3) FROM agent_queue WHERE id = $id");
	diag("$what: completed after $took s");
	cmp_ok($took, '<', 1, "$what is done within a second");
	return;
}

# ---- what wakes

my $id = $node->safe_psql('postgres',
	"INSERT INTO agent_queue (agent_type, request_data) VALUES ('echo', $request) RETURNING id");
is_prompt($id, 'a plain INSERT');

is_prompt(enqueue($node, 'postgres', 'echo'), 'enqueue_agent');

$node->safe_psql('postgres', qq{COPY agent_queue (agent_type, request_data) FROM STDIN;\necho\t{"text": "copied"}\n\\.\n});
is_prompt($node->safe_psql('postgres', q{SELECT max(id) FROM agent_queue WHERE request_data ->> 'text' = 'copied'}), 'COPY');

my $delayed = enqueue($node, 'postgres', 'echo', delay => q{'1 second'});
is(job($node, 'postgres', $delayed)->{status}, 'scheduled', 'a delayed job is scheduled');
is_prompt($delayed, 'a delayed job');
is($node->safe_psql('postgres', "SELECT started_at >= run_at FROM agent_queue WHERE id = $delayed"), 't', 'and not before its time');

is(wakeups_of(qq{BEGIN; SELECT enqueue_agent('echo', $request) FROM generate_series(1, 10); COMMIT}),
	1, 'ten jobs in one transaction wake once');
jobs_done($node, 'postgres');

# ---- what does not

my $rows = $node->safe_psql('postgres', 'SELECT count(*) FROM agent_queue');
my $rounds = worker_sum($node, 'postgres', 'rounds');
is(wakeups_of(qq{BEGIN; SELECT enqueue_agent('echo', $request); ROLLBACK}), 0, 'a rolled back transaction wakes nobody');
is(wakeups_of(qq{BEGIN; SAVEPOINT s; SELECT enqueue_agent('echo', $request); ROLLBACK TO s; COMMIT}),
	0, 'a rolled back savepoint wakes nobody');
is(wakeups_of(qq{BEGIN; SELECT enqueue_agent('echo', $request); PREPARE TRANSACTION 'prepared'}),
	0, 'PREPARE TRANSACTION wakes nobody');
is(worker_sum($node, 'postgres', 'rounds'), $rounds, 'no worker has looked');
is($node->safe_psql('postgres', 'SELECT count(*) FROM agent_queue'), $rows, 'nothing is stored');
is(wakeups_of(qq{BEGIN; SAVEPOINT s; SELECT enqueue_agent('echo', $request); RELEASE s; COMMIT}),
	1, 'a released savepoint wakes');
jobs_done($node, 'postgres');

# ---- two-phase commit is found by the poll

$node->safe_psql('postgres', q{COMMIT PREPARED 'prepared'});
set_and_reload($node, 'agent_queue.poll_interval' => '100ms');
ok(jobs_done($node, 'postgres'), 'the job of a prepared transaction is found by the poll');
set_and_reload($node, 'agent_queue.poll_interval' => undef);

# ---- a change of the configuration

$node->safe_psql('postgres', q{INSERT INTO agent_queues (name, paused) VALUES ('parked', true)});
my $parked = enqueue($node, 'postgres', 'echo', queue => q{'parked'});
wait_agent($node, 'postgres', enqueue($node, 'postgres', 'echo'));
is(job($node, 'postgres', $parked)->{status}, 'pending', 'a job of a paused queue waits');
my $took = seconds_of
{
	$node->safe_psql('postgres', q{UPDATE agent_queues SET paused = false WHERE name = 'parked'});
	is(wait_agent($node, 'postgres', $parked), 'Hello', 'and runs when the queue is opened');
};
cmp_ok($took, '<', 2, 'at once');

# ---- who waits is woken

$id = enqueue($node, 'postgres', 'half_second');
my @answers;
$took = seconds_of { @answers = parallel_psql($node, 'postgres', ("SELECT wait_agent($id, '20 s') ->> 'text'") x 5) };
is_deeply(\@answers, [ ('echo: Hello') x 5 ], 'five sessions wait for one job');
cmp_ok($took, '<', 3, 'and are woken at its end');

my $listener = $node->background_psql('postgres');
$listener->query_safe('LISTEN agent_queue');
$id = enqueue($node, 'postgres', 'echo');
wait_agent($node, 'postgres', $id);
$node->safe_psql('postgres', q{UPDATE agent_types SET max_retries = 0 WHERE name = 'half_second';
	UPDATE agent_providers SET base_url = 'http://127.0.0.1:1' WHERE name = 'half_second'});
my $failed = enqueue($node, 'postgres', 'half_second');
jobs_done($node, 'postgres');
my $heard = '';
for (my $turn = 0; $turn < 100 && $heard !~ /failed/; ++$turn) { $heard .= $listener->query_safe('SELECT 1') . "\n" }
my @payloads = $heard =~ /Asynchronous notification "agent_queue" with payload "(.*?)" received/g;
is_deeply(
	\@payloads,
	[ qq({"id": $id, "status": "completed"}), qq({"id": $failed, "status": "failed"}) ],
	'one notification for each settled job');
$listener->quit;

finish($node);
done_testing();
