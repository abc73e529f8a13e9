# The bound of a queue (agent_queues.concurrency) over two workers: never exceeded, always used, not lost with a worker.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;

start_imposter();
my $node = new_cluster('queues', conf => "agent_queue.min_workers = 2\nagent_queue.max_workers = 2\n");
wait_for_workers($node, 'postgres', 2);
define_agent($node, 'postgres', ['slow', '/delay/30/v1'], ['counted', '/delay/31/v1'], ['hang', '/hang']);
$node->safe_psql('postgres', q{INSERT INTO agent_queues (name, concurrency) VALUES ('bounded', 3), ('stuck', 2)});

# The most calls to $path that were at the provider at one time, each for $seconds.
sub most_at_a_time
{
	my ($path, $seconds) = @_;
	my @at = sort { $a <=> $b } map { $_->{at} } calls_of($path);
	my ($most, $first) = (0, 0);
	foreach my $last (0 .. $#at)
	{
		$first++ while $at[$first] + $seconds <= $at[$last];
		$most = $last - $first + 1 if $last - $first + 1 > $most;
	}
	return $most;
}

# ---- many jobs, two workers

enqueue($node, 'postgres', 'counted', count => 120, queue => q{'bounded'});
enqueue($node, 'postgres', 'slow', count => 40);
ok(jobs_done($node, 'postgres'), 'all jobs of a bounded queue end');
is($node->safe_psql('postgres', q{SELECT count(*) FROM agent_queue WHERE status = 'completed'}), '160', 'with an answer');
is(most_at_a_time('/delay/31', 0.031), 3, 'three at a time, never more and not always fewer');
cmp_ok(most_at_a_time('/delay/30', 0.030), '>', 3, 'the bound is of that queue alone');

# ---- what was enqueued after a pause is not called, however busy the workers are

$node->safe_psql('postgres', q{INSERT INTO agent_queues (name) VALUES ('doors')});
enqueue($node, 'postgres', 'echo', count => 20000);
my $called = $node->safe_psql('postgres', join "\n", map { <<~SQL } 1 .. 150);
	SELECT pause_queue('doors') \\gset
	SELECT enqueue_agent('echo', '{"text": "wait"}', queue => 'doors') AS id \\gset
	SELECT pg_sleep(0.002) \\gset
	SELECT id FROM agent_queue WHERE id = :id AND started_at IS NOT NULL;
	SELECT resume_queue('doors') \\gset
	SQL
is($called, '', 'nothing that was enqueued into a paused queue was called');
ok(jobs_done($node, 'postgres'), 'and all of it was after the queue was opened again');
$node->safe_psql('postgres', q{DELETE FROM agent_queue WHERE queue <> 'bounded'});

# ---- a worker ends in the middle: its permits come back

enqueue($node, 'postgres', 'hang', count => 2, queue => q{'stuck'});
wait_in_flight($node, 'postgres', 2);
my $id = enqueue($node, 'postgres', 'slow', queue => q{'stuck'});
$node->safe_psql('postgres', q{UPDATE agent_types SET on_uncertain = 'fail' WHERE name = 'hang'});
is($node->safe_psql('postgres', "SELECT status FROM agent_queue WHERE id = $id"), 'pending', 'a full queue waits');
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM agent_workers');
ok(jobs_done($node, 'postgres'), 'what a worker held of the bound comes back when it ends');
is(job($node, 'postgres', $id)->{status}, 'completed', 'and the next job gets its turn');

# ---- a deleted job gives its place back when its call has ended

define_agent($node, 'postgres', ['later', '/delay/500/v1']);
enqueue($node, 'postgres', 'later', count => 2, queue => q{'stuck'});
wait_in_flight($node, 'postgres', 2);
$node->safe_psql('postgres', q{DELETE FROM agent_queue WHERE agent_type = 'later'});
my $next = enqueue($node, 'postgres', 'slow', queue => q{'stuck'});
like(wait_agent($node, 'postgres', $next), qr/echo: Hello/, 'a deleted job gives its place back');

# ---- raised while full: more run at once

enqueue($node, 'postgres', 'hang', count => 6, queue => q{'stuck'});
wait_in_flight($node, 'postgres', 2);
$node->safe_psql('postgres', q{UPDATE agent_queues SET concurrency = 5 WHERE name = 'stuck'});
ok(wait_in_flight($node, 'postgres', 5), 'a raised bound is used at once');
$node->safe_psql('postgres', q{UPDATE agent_queues SET concurrency = NULL WHERE name = 'stuck'});
ok(wait_in_flight($node, 'postgres', 6), 'and so is one that was taken away');

# ---- a full queue with two agent types: none is forgotten, also when all begins anew

define_agent($node, 'postgres', ['first', '/delay/200/v1'], ['second', '/ok/v1']);
$node->safe_psql('postgres', q{DELETE FROM agent_queue; INSERT INTO agent_queues (name, concurrency) VALUES ('gpu', 1)});
set_and_reload($node, 'agent_queue.start_paused' => 'on');
enqueue($node, 'postgres', 'first', count => 100, queue => q{'gpu'}, priority => 5);
enqueue($node, 'postgres', 'second', count => 3, queue => q{'gpu'}, priority => 1);
$node->safe_psql('postgres', 'ALTER SYSTEM SET agent_queue.start_paused = off');
$node->restart;
ok( $node->poll_query_until('postgres', q{
		SELECT count(*) FILTER (WHERE agent_type = 'second' AND status = 'completed') = 3
			AND count(*) FILTER (WHERE agent_type = 'first' AND status = 'pending') > 20 FROM agent_queue}),
	'the jobs of one agent type do not wait for all jobs of the other');

finish($node);
done_testing();
