# Workers that die with calls in flight: one that is terminated, and one that is killed, which restarts the server. What
# was in flight is uncertain, is booked as such and is tried again; nothing is lost or accounted twice.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;

start_imposter();
my $node = new_cluster('crash_worker', conf => <<~'CONF');
	restart_after_crash = on
	agent_queue.min_workers = 2
	agent_queue.max_workers = 2
	CONF
define_agent($node, 'postgres', [ 'slow', '/delay/2000' ], [ 'once', '/delay/2000/once', type => { on_uncertain => 'fail' } ]);
wait_for_workers($node, 'postgres', 2);

sub psql { return $node->safe_psql('postgres', $_[0]) }

# Both workers have calls in flight, $count in all. More than half of its room has to be taken before a worker leaves the
# rest to the other, so the room is small.
sub fill_both
{
	my ($count) = @_;
	set_and_reload($node, 'agent_queue.max_in_flight' => $count * 2 / 3, 'agent_queue.claim_batch' => $count / 3);
	enqueue($node, 'postgres', 'slow', count => $count);
	wait_in_flight($node, 'postgres', $count);
	is(psql('SELECT count(*) FROM agent_workers WHERE in_flight > 0'), 2, 'both workers have calls in flight');
	return;
}

# ---- one worker is terminated

fill_both(60);
my ($victim, $in_flight) = split /\|/, psql('SELECT pid, in_flight FROM agent_workers ORDER BY pid LIMIT 1');
psql("SELECT pg_terminate_backend($victim)");
ok($node->poll_query_until('postgres', "SELECT count(*) = 2 AND bool_and(pid <> $victim) FROM agent_workers"),
	'the launcher starts another worker');
ok(jobs_done($node, 'postgres'), 'every job ends');
is(psql(q{SELECT count(*) FROM agent_queue WHERE status = 'completed'}), 60, 'all are completed');
is(psql('SELECT count(*) FROM api_usage WHERE NOT estimated'), 60, 'all are accounted');
is(psql('SELECT count(*) FROM api_usage WHERE estimated AND attempt = 1'), $in_flight, 'what the worker had in flight is estimated');
is(psql('SELECT sum(retry_count) FROM agent_queue'), $in_flight, 'and was tried again: the other calls went on');
is(psql('SELECT sum(rescued) FROM agent_workers'), $in_flight, 'after it had been rescued');

# ---- the launcher is terminated

my $workers = psql('SELECT array_agg(pid ORDER BY pid) FROM agent_workers');
my $launcher = psql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'agent_queue launcher'});
psql("SELECT pg_terminate_backend($launcher)");
is(wait_agent($node, 'postgres', enqueue($node, 'postgres', 'echo')), 'Hello', 'without the launcher the workers go on');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'agent_queue launcher' AND pid <> $launcher"),
	'another one is started');
psql('CREATE DATABASE later');
create_extension($node, 'later');
is(wait_agent($node, 'later', enqueue($node, 'later', 'echo')), 'Hello', 'which serves a new database');
is(psql('SELECT array_agg(pid ORDER BY pid) FROM agent_workers'), $workers, 'and leaves the workers alone');

# ---- one worker is killed

psql('DELETE FROM agent_queue');
psql('DELETE FROM api_usage');
fill_both(60);
my $once = enqueue($node, 'postgres', 'once');
wait_in_flight($node, 'postgres', 61);
my $before = worker_sum($node, 'postgres', 'pid');
kill 9, psql('SELECT pid FROM agent_workers ORDER BY pid LIMIT 1');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 2 FROM agent_workers'), 'the server comes back with its workers');
ok(jobs_done($node, 'postgres'), 'every job ends');
is(psql(q{SELECT count(*) FROM agent_queue WHERE status = 'completed' AND retry_count = 1}), 60, 'all are completed with the second attempt');
is(psql('SELECT count(*) FROM api_usage WHERE NOT estimated AND attempt = 2'), 60, 'which is accounted');
is(psql('SELECT count(*) FROM api_usage WHERE estimated AND attempt = 1'), 61, 'the first is estimated');
is(psql('SELECT count(*) - count(DISTINCT (queue_id, attempt)) FROM api_usage'), 0, 'no attempt is accounted twice');
my $job = job($node, 'postgres', $once);
is("$job->{status} $job->{error_code}", 'failed uncertain', 'on_uncertain = fail: not tried again');
like($job->{error_message}, qr/the worker died during the call/, 'and says why');

my $took = log_seconds_between($node, qr/database system is ready to accept connections/, qr/recovered \d+ jobs whose worker had died/);
diag(sprintf 'from the restart to the recovery: %.2f s', $took);
cmp_ok($took, '<', 1.5, 'the jobs come back within about a second of the restart');

finish($node, is_killed => 1);
done_testing();
