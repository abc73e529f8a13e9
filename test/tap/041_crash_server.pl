# The whole server dies or is shut down with a thousand calls in flight: by kill -9, immediate and fast. After each start
# all jobs complete, none is lost, no attempt is accounted twice.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

use constant JOBS => 1000;

start_imposter();
my $node = new_cluster('crash_server', conf => "max_connections = 20\nagent_queue.max_in_flight = 1000\n");
define_agent($node, 'postgres', 'slow', '/delay/3000');

sub psql { return $node->safe_psql('postgres', $_[0]) }

# The children of a killed postmaster notice its death by themselves; the server starts when the last one has gone.
sub start_again
{
	my @lines = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');
	my $segment = (split ' ', $lines[6] // '')[1];
	for (my $turn = 0; $turn < 1000 && (kill(0, $lines[0]) || attached($segment)); ++$turn) { usleep(10_000) }
	return $node->start;
}

# How many processes are attached to the System V segment.
sub attached
{
	my ($segment) = @_;
	return 0 unless defined $segment;
	foreach my $line (split /\n/, slurp_file('/proc/sysvipc/shm'))
	{
		my @fields = split ' ', $line;
		return $fields[6] if $fields[1] eq $segment;
	}
	return 0;
}

sub survives
{
	my ($what, $stop, $start) = @_;
	psql('TRUNCATE agent_queue');
	psql('TRUNCATE api_usage');
	enqueue($node, 'postgres', 'slow', count => JOBS);
	wait_in_flight($node, 'postgres', JOBS);
	my $stopped = seconds_of { $stop->() };
	my $started = seconds_of { $start->() };

	my $seconds = seconds_of
	{
		$node->poll_query_until('postgres', 'SELECT sum(rescued) = ' . JOBS . ' FROM agent_workers');
	};
	my $recovered = log_seconds_between($node, qr/database system is ready to accept connections/, qr/recovered \d+ jobs whose worker/);
	diag(sprintf '%s: stopped in %.2f s, started in %.2f s, first jobs recovered %.2f s after that, all seen %.2f s later',
		$what, $stopped, $started, $recovered, $seconds);
	cmp_ok($recovered, '<', 1.5, "$what: recovery begins within about a second");

	ok(jobs_done($node, 'postgres'), "$what: every job ends");
	is(psql(q{SELECT count(*) FROM agent_queue WHERE status = 'completed' AND retry_count = 1}), JOBS, "$what: all are completed");
	is(psql('SELECT count(*) FROM api_usage WHERE NOT estimated'), JOBS, "$what: all are accounted");
	is(psql('SELECT count(*) FROM api_usage WHERE estimated AND attempt = 1'), JOBS, "$what: the lost attempts are estimated");
	is(psql('SELECT count(*) - count(DISTINCT (queue_id, attempt)) FROM api_usage'), 0, "$what: no attempt is accounted twice");
	return $stopped;
}

survives('kill -9', sub { $node->kill9 }, \&start_again);
survives('immediate shutdown', sub { $node->stop('immediate') }, sub { $node->start });
my $stopped = survives('fast shutdown', sub { $node->stop('fast') }, sub { $node->start });
cmp_ok($stopped, '<', 2, 'fast shutdown does not wait for the calls');

finish($node, is_killed => 1);
done_testing();
