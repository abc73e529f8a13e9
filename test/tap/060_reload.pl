# Settings and configuration rows that change while calls are in flight: what has begun ends as it began, what comes next
# follows the new ones.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use Test::More;

start_imposter();
my $node = new_cluster('reload');
define_agent(
	$node, 'postgres',
	[ 'slow', '/delay/1500' ],
	[ 'moving', '/delay/1000/moving' ],
	[ 'mirror', '/mirror' ],
	[ 'doomed', '/delay/1000/doomed' ]);

sub psql { return $node->safe_psql('postgres', $_[0]) }
sub status_of { return job($node, 'postgres', $_[0])->{status} }

# ---- max_in_flight

enqueue($node, 'postgres', 'slow', count => 5);
wait_in_flight($node, 'postgres', 5);
set_and_reload($node, 'agent_queue.max_in_flight' => 2);
enqueue($node, 'postgres', 'slow', count => 4);
is(psql(q{SELECT count(*) FROM agent_queue WHERE status = 'pending'}), 4, 'over a lowered max_in_flight nothing begins');
ok($node->poll_query_until('postgres', q{SELECT (SELECT sum(in_flight) FROM agent_workers) = 2 AND count(*) = 2
		FROM agent_queue WHERE status = 'pending'}), 'then two at a time');
set_and_reload($node, 'agent_queue.max_in_flight' => undef);
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM agent_queue WHERE status = 'pending'}), 'a raised one is used at once');
ok(jobs_done($node, 'postgres'), 'all end');
is(psql(q{SELECT count(*) FROM agent_queue WHERE status = 'completed' AND retry_count = 0}), 9, 'in their first attempts');

# ---- allowed_hosts

my $begun = enqueue($node, 'postgres', 'slow');
wait_in_flight($node, 'postgres', 1);
set_and_reload($node, 'agent_queue.allowed_hosts' => 'api.example.com');
my $late = enqueue($node, 'postgres', 'slow');
jobs_done($node, 'postgres', "id = $late");
is(job($node, 'postgres', $late)->{error_code}, 'configuration', 'allowed_hosts holds for the next call');
set_and_reload($node, 'agent_queue.allowed_hosts' => undef);
is(wait_agent($node, 'postgres', $begun), 'echo: Hello', 'the one in flight ends');

# ---- notify

sub heard
{
	my ($mode) = @_;
	set_and_reload($node, 'agent_queue.notify' => $mode);
	my $listener = $node->background_psql('postgres');
	$listener->query_safe('LISTEN agent_queue');
	# The second job says that nothing is to come for the first.
	my $id = enqueue($node, 'postgres', 'echo');
	wait_agent($node, 'postgres', $id);
	$node->safe_psql('postgres', 'NOTIFY agent_queue, $$end$$');
	my $heard = '';
	for (my $turn = 0; $turn < 1000 && $heard !~ /"end"/; ++$turn) { $heard .= $listener->query_safe('SELECT 1') . "\n" }
	$listener->quit;
	my @payloads = $heard =~ /with payload "(\{.*?\})" received/g;
	return join('', @payloads) =~ s/\b$id\b/ID/r;
}

# A worker reads its settings when it is woken for the reload; a job that wakes it comes later.
is(heard('ids'), '{"id": ID, "status": "completed"}', 'notify = ids');
like(heard('full'), qr/^\{"id": ID, "status": "completed", "result": \{.*"text": ?"Hello".*\}\}$/, 'notify = full');
is(heard('off'), '', 'notify = off');
set_and_reload($node, 'agent_queue.notify' => undef);

# ---- rows

$begun = enqueue($node, 'postgres', 'moving');
wait_in_flight($node, 'postgres', 1);
psql(q{
	UPDATE agent_providers SET base_url = (SELECT base_url FROM agent_providers WHERE name = 'mirror') WHERE name = 'moving';
	UPDATE agent_types SET system_prompt = 'Changed.', result_template = '{"shaped": "{{text}}"}' WHERE name = 'moving';
	UPDATE agent_routes SET model = 'imposter-2' WHERE agent_type = 'moving'});
$late = enqueue($node, 'postgres', 'moving');
jobs_done($node, 'postgres', "id = $late");
my $job = job($node, 'postgres', $late);
like($job->{result}{shaped}, qr/"model":"imposter-2".*Changed\./, 'the next job follows the changed rows');
is(status_of($begun), 'processing', 'while one is in flight');
is(wait_agent($node, 'postgres', $begun), 'echo: Hello', 'that ends as it began');
is(job($node, 'postgres', $begun)->{model}, 'imposter-1', 'under the model that was called');

$begun = enqueue($node, 'postgres', 'doomed');
wait_in_flight($node, 'postgres', 1);
psql(q{INSERT INTO agent_queues (name, paused) VALUES ('parked', true)});
$late = enqueue($node, 'postgres', 'doomed', queue => q{'parked'});
psql(q{
	DELETE FROM agent_types WHERE name = 'doomed';
	DELETE FROM agent_routes WHERE agent_type = 'doomed';
	DELETE FROM agent_providers WHERE name = 'doomed';
	DELETE FROM agent_queues WHERE name = 'parked'});
is(wait_agent($node, 'postgres', $begun), 'echo: Hello', 'a call of a deleted agent type ends');
ok(jobs_done($node, 'postgres'), 'one that waited ends as well');
$job = job($node, 'postgres', $late);
is($job->{error_code}, 'configuration', 'with an error');
like($job->{error_message}, qr/"doomed" does not exist any more/, 'that says why');

finish($node);
done_testing();
