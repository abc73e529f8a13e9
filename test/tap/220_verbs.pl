# cancel_agent, retry_agent and run_agent against running calls: a cancelled call is broken off at once and what was
# sent is booked; cancels and retries under load and with a worker that is killed; run_agent by many sessions.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use IO::Socket::INET;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

start_imposter();
my $node = new_cluster('verbs', conf => <<~'CONF');
	restart_after_crash = on
	max_connections = 150
	agent_queue.max_in_flight = 2500
	CONF

# Nobody accepts, and the queue of those who knock is full: further calls stay in the handshake.
my $deaf = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', Proto => 'tcp') or die "listen: $!";
my @knocking = map {
	IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $deaf->sockport, Proto => 'tcp', Blocking => 0)
} 1 .. 4;

define_agent(
	$node, 'postgres',
	[ 'hang', '/hang', type => { queue => 'narrow' } ],
	[ 'deaf', 'http://127.0.0.1:' . $deaf->sockport . '/', type => { queue => 'narrow' }, provider => { connect_timeout => '60 s' } ],
	[ 'again', '/sequence/hang,200/again' ],
	[ 'prepared', '/sequence/gate:first,gate:second/prepared' ],
	[ 'load', '/hang/load' ],
	[ 'late', '/gate/late' ],
	[ 'run', '/gate/run' ],
	[ 'run_again', '/gate/run_again' ]);
$node->safe_psql('postgres', q{INSERT INTO agent_queues (name, concurrency) VALUES ('narrow', 1)});

sub psql { return $node->safe_psql('postgres', $_[0]) }

# The imposter tells nobody: it is asked again and again.
sub wait_for_provider
{
	my ($what, $is_there) = @_;
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
	until ($is_there->())
	{
		die "the provider has not seen $what" if time > $deadline;
		usleep(50_000);
	}
	return;
}

sub usage_of
{
	my ($id) = @_;
	return psql("SELECT count(*), count(*) FILTER (WHERE estimated), count(DISTINCT created_at) FROM api_usage WHERE queue_id = $id");
}

# ---- a running call

my $id = enqueue($node, 'postgres', 'hang');
wait_in_flight($node, 'postgres', 1);
my @waiters = map { $node->background_psql('postgres', on_error_stop => 0) } 1 .. 2;
$_->{stdin} .= "SELECT wait_agent($id, '1 h');\n\\echo ended :SQLSTATE\n" foreach @waiters;
$_->{run}->pump_nb foreach @waiters;
$node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE query LIKE 'SELECT wait_agent%' AND wait_event_type = 'Extension'});

psql("BEGIN; SELECT cancel_agent($id); ROLLBACK");
is(worker_sum($node, 'postgres', 'in_flight'), 1, 'a cancel that is rolled back leaves the call alone');
my $heard = psql("LISTEN agent_queue; SELECT cancel_agent($id)");
like($heard, qr/^t$/m, 'a running job is cancelled');
like($heard, qr/notification "agent_queue" with payload "\{"id": $id, "status": "failed"\}"/, 'who listens is notified');
ok($node->poll_query_until('postgres', 'SELECT sum(in_flight) = 0 FROM agent_workers'), 'the call is broken off');
wait_for_provider('the end of the call', sub { closed_of('/hang/chat') });
my ($closed) = closed_of('/hang/chat');
my $cancelled_at = psql("SELECT extract(epoch FROM completed_at) FROM agent_queue WHERE id = $id");
diag(sprintf 'from the cancel to the closed connection: %.1f ms', 1000 * ($closed->{at} - $cancelled_at));
cmp_ok($closed->{at} - $cancelled_at, '<', 5, 'the provider sees the connection closed');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM api_usage WHERE queue_id = $id AND estimated"), 'what was sent is booked as the worst case');
my $job = job($node, 'postgres', $id);
is("$job->{status} $job->{error_code} " . ($job->{claim} // 'free') . ' ' . ($job->{hold_usd} // 'free'),
	'failed cancelled free free', 'the row');
foreach my $waiter (@waiters)
{
	$waiter->{run}->pump until $waiter->{stdout} =~ /ended/;
	like($waiter->{stdout}, qr/ended AQ002/, 'who waits is woken and told');
	$waiter->quit;
}

# ---- before it is sent. The queue lets one call run at a time: the other one has given its place back.

$id = enqueue($node, 'postgres', 'deaf');
wait_in_flight($node, 'postgres', 1);
is(psql("SELECT cancel_agent($id)"), 't', 'a call in the handshake is cancelled');
ok($node->poll_query_until('postgres', 'SELECT sum(in_flight) = 0 FROM agent_workers'), 'and broken off');
is(wait_agent($node, 'postgres', enqueue($node, 'postgres', 'echo')), 'Hello', 'the worker has settled since');
is(usage_of($id), '0|0|0', 'nothing is booked for it');
$id = enqueue($node, 'postgres', 'hang');
wait_in_flight($node, 'postgres', 1);
is(psql("SELECT cancel_agent($id)"), 't', 'its place in the queue is free again');
$node->poll_query_until('postgres', 'SELECT sum(in_flight) = 0 FROM agent_workers');
close $_ foreach @knocking, $deaf;

# ---- the answer comes while the cancel is not committed

$id = enqueue($node, 'postgres', 'late');
wait_in_flight($node, 'postgres', 1);
my $session = $node->background_psql('postgres');
$session->query_safe("BEGIN; SELECT cancel_agent($id)");
open_gate('late');
ok($node->poll_query_until('postgres', 'SELECT sum(in_flight) = 0 FROM agent_workers'), 'a call ends under its cancel');
$session->query_safe('COMMIT');
$session->quit;
is(job($node, 'postgres', $id)->{status}, 'failed', 'the cancel stands');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM api_usage WHERE queue_id = $id AND NOT estimated"), 'and what the answer cost is booked');

# ---- cancelled and tried again at once

$id = enqueue($node, 'postgres', 'again');
wait_in_flight($node, 'postgres', 1);
is(psql("BEGIN; SELECT cancel_agent($id), retry_agent($id); COMMIT"), 't|t', 'cancel and retry in one transaction');
is(wait_agent($node, 'postgres', $id), 'echo: Hello', 'the second call is answered');
ok($node->poll_query_until('postgres', "SELECT count(*) = 2 FROM api_usage WHERE queue_id = $id"), 'both calls are booked');
is(usage_of($id), '2|1|2', 'the one that was broken off as an estimate');

# ---- nobody tells the worker: a two-phase commit. The old call goes on and its answer is not the new attempt's.

$id = enqueue($node, 'postgres', 'prepared');
wait_in_flight($node, 'postgres', 1);
# With NOTIFY there is no PREPARE TRANSACTION.
set_and_reload($node, 'agent_queue.notify' => 'off');
$node->poll_query_until('postgres', q{SELECT current_setting('agent_queue.notify') = 'off'});
psql("BEGIN; SELECT cancel_agent($id), retry_agent($id); PREPARE TRANSACTION 'verbs'");
psql(q{COMMIT PREPARED 'verbs'});
set_and_reload($node, 'agent_queue.notify' => undef);
psql('UPDATE agent_types SET priority = priority');    # all workers look through everything
wait_in_flight($node, 'postgres', 2);
open_gate('first');
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM api_usage WHERE queue_id = $id"), 'the old answer is booked');
is(job($node, 'postgres', $id)->{status}, 'processing', 'and settles nothing: the new attempt is under way');
open_gate('second');
is(wait_agent($node, 'postgres', $id), 'echo: Hello', 'which has its own answer');
is(usage_of($id), '2|0|2', 'both are billed');

# ---- under load: 2,000 calls in flight, half of them cancelled, the worker killed in the middle

sub cancel_each
{
	my (@ids) = @_;
	my @sessions = ('') x 4;
	$sessions[ $_ % 4 ] .= "SELECT cancel_agent($ids[$_]);\n" foreach 0 .. $#ids;
	my $ended = () = join("\n", parallel_psql($node, 'postgres', @sessions)) =~ /^t$/mg;
	return $ended;
}

psql('DELETE FROM agent_queue');
psql('DELETE FROM api_usage');
reset_calls();
enqueue($node, 'postgres', 'load', count => 2000);
wait_in_flight($node, 'postgres', 2000);
wait_for_provider('all calls', sub { calls_of('/hang/load') == 2000 });
my @ids = split /\n/, psql('SELECT id FROM agent_queue ORDER BY md5(id::text)');

is(cancel_each(@ids[ 0 .. 399 ]), 400, '400 cancels, one by one, in four sessions');
ok($node->poll_query_until('postgres', 'SELECT sum(in_flight) = 1600 FROM agent_workers'), 'their calls are broken off');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 400 FROM api_usage WHERE estimated'), 'and booked');
is(psql('SELECT count(*) FILTER (WHERE cancel_agent(id)) FROM unnest(ARRAY[' . join(',', @ids[ 400 .. 799 ]) . ']) AS id'),
	400, '400 more in one statement: more than shared memory can tell one by one');
ok($node->poll_query_until('postgres', 'SELECT sum(in_flight) = 1200 FROM agent_workers'), 'their calls are broken off all the same');
is(psql('SELECT count(*) FILTER (WHERE cancel_agent(id)) FROM unnest(ARRAY[' . join(',', @ids[ 800 .. 899 ]) . ']) AS id'),
	100, '100 more');
kill 9, psql('SELECT pid FROM agent_workers');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM agent_workers'), 'the worker is killed, and the server comes back');
# Beside them what was cancelled, and was not booked yet when the worker was killed.
ok($node->poll_query_until('postgres', 'SELECT sum(rescued) >= 1100 FROM agent_workers'), 'the calls of the others are recovered');
is(cancel_each(@ids[ 890 .. 999 ]), 100, '100 more, and ten that had ended before');
psql(qq{UPDATE agent_providers SET base_url = '@{[provider_url('/ok/load')]}' WHERE name = 'load'});
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM agent_queue WHERE status IN ('pending', 'scheduled')}), 'what waits is called');
# Those that were called again before the provider was mended hang.
psql(q{SELECT cancel_agent(id), retry_agent(id) FROM agent_queue WHERE status = 'processing'});
ok(jobs_done($node, 'postgres'), 'every job ends');
is(psql(q{SELECT count(*) FROM agent_queue WHERE status = 'failed' AND error_code = 'cancelled'}), 1000, 'the cancelled ones as such');
is(psql(q{SELECT count(*) FROM agent_queue WHERE status = 'completed'}), 1000, 'the others with their answers');
my %said = map { $_ => 1 } split /\n/,
  psql('SELECT request_data ->> \'text\' FROM agent_queue WHERE id IN (' . join(',', @ids[ 0 .. 899 ]) . ')');
is(scalar(grep { $said{ $_->{said} } } calls_of('/hang/load')), 900, 'what was cancelled before the crash was called once');
is(scalar(grep { $said{ $_->{said} } } calls_of('/ok/load')), 0, 'and never again');
is(psql('SELECT count(*) - count(DISTINCT (queue_id, attempt, created_at)) FROM api_usage'), 0, 'no attempt is accounted twice');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 900 FROM api_usage WHERE queue_id IN (' . join(',', @ids[ 0 .. 899 ]) . ') AND estimated'),
	'what was cancelled is booked once, before the crash or after it');

# ---- retries under load: four sessions want the same thousand

my $cancelled = q{SELECT count(*) FILTER (WHERE retry_agent(id)) FROM (SELECT id FROM agent_queue WHERE agent_type = 'load' ORDER BY id) AS q};
my $retried = 0;
$retried += $_ foreach parallel_psql($node, 'postgres', ($cancelled) x 4);
is($retried, 1000, 'each is tried again once');
ok(jobs_done($node, 'postgres'), 'every job ends');
is(psql(q{SELECT count(*) FROM agent_queue WHERE status = 'completed' AND retry_count = 0 AND error_code IS NULL AND id IN (} . join(',', @ids[ 0 .. 999 ]) . ')'),
	1000, 'and has its answer');
is(psql('SELECT count(*) - count(DISTINCT (queue_id, attempt, created_at)) FROM api_usage'), 0, 'no attempt is accounted twice');

# ---- run_agent

psql('DELETE FROM agent_queue');
psql('DELETE FROM api_usage');
my @calls = map { qq{CALL run_agent('run', '{"text": "session $_"}');} } 1 .. 50;
my @sessions = map { $node->background_psql('postgres', on_error_stop => 0) } @calls;
foreach my $i (0 .. $#calls)
{
	$sessions[$i]->{stdin} .= "$calls[$i]\n\\echo ended :SQLSTATE\n";
	$sessions[$i]->{run}->pump_nb;
}
wait_in_flight($node, 'postgres', 50);
is( psql(q{SELECT count(*), count(backend_xmin), count(backend_xid), count(l.pid)
           FROM pg_stat_activity AS a LEFT JOIN pg_locks AS l ON l.pid = a.pid AND l.locktype = 'relation'
           WHERE a.query LIKE 'CALL run_agent%' AND a.wait_event_type = 'Extension'}),
	'50|0|0|0', 'run_agent by 50 sessions: none holds a snapshot, a transaction id or a lock while it sleeps');
open_gate('run');
my $answers = 0;
foreach my $session (@sessions)
{
	$session->{run}->pump until $session->{stdout} =~ /ended/;
	$answers++ if $session->{stdout} =~ /echo: session \d+.*ended 00000/s;
	$session->quit;
}
is($answers, 50, 'all have their answers');

my $script = "$ENV{AQ_ROOT}/out/run_agent.sql";
PostgreSQL::Test::Utils::append_to_file($script, qq{CALL run_agent('echo', '{"text": "extended"}');\n});
foreach my $mode (qw(extended prepared))
{
	$node->command_ok([ 'pgbench', '-n', '-M', $mode, '-c', 2, '-t', 5, '-f', $script, 'postgres' ], "$mode protocol");
}

psql('DELETE FROM agent_queue');
s/'run'/'run_again'/ foreach @calls;
@sessions = map { $node->background_psql('postgres', on_error_stop => 0) } @calls;
foreach my $i (0 .. $#calls)
{
	$sessions[$i]->{stdin} .= "$calls[$i]\n";
	$sessions[$i]->{run}->pump_nb;
}
wait_in_flight($node, 'postgres', 50);
kill 9, psql('SELECT pid FROM agent_workers');
$_->{run}->finish foreach @sessions;    # the server has cut them off
open_gate('run_again');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM agent_workers'), 'the worker is killed in the middle');
ok(jobs_done($node, 'postgres'), 'the jobs were committed and go on');
is(psql(q{SELECT count(*), count(DISTINCT request_data ->> 'text') FROM agent_queue WHERE status = 'completed' AND retry_count = 1}),
	'50|50', 'each has its answer, once');

finish($node, is_killed => 1, allow => [ qr/ERROR:  the job was cancelled/ ]);
done_testing();
