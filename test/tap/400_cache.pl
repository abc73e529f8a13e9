# The response cache where calls are under way: equal jobs are called once, by whatever worker, also when the leader
# fails, is cancelled or dies; what was invalidated meanwhile is not found; a stale answer stands in for a provider that
# is down.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;

start_imposter();
my $node = new_cluster('cache', conf => <<~'CONF');
	restart_after_crash = on
	agent_queue.max_in_flight = 2500
	agent_queue.min_workers = 2
	agent_queue.max_workers = 2
	CONF
wait_for_workers($node, 'postgres', 2);

my @shared = (cache_type => 'translation', cache_scope => 'shared');
define_agent(
	$node, 'postgres',
	[ 'many', '/gate/many', type => {@shared} ],
	[ 'killed', '/sequence/gate:killed,200/killed', type => {@shared} ],
	[ 'refused', '/sequence/gate:refused,gate:refused_next/refused', type => { @shared, max_retries => 0 } ],
	[ 'bad', '/sequence/400,200/bad', type => {@shared} ],
	[ 'flaky', '/sequence/503,200/flaky', type => { @shared, retry_base => '1 s' } ],
	[ 'data', '/gate/data', type => { @shared, cache_depends_on => '{"doc:{{doc}}"}' } ],
	[ 'down', '/sequence/200,500/down', type => { @shared, stale_if_error => '1 hour' } ]);

sub psql { return $node->safe_psql('postgres', $_[0]) }

# How many ended how, by what they say of the cache.
sub ends_of
{
	my ($type) = @_;
	return psql(<<~SQL);
		SELECT string_agg(concat_ws(' ', n, status, CASE WHEN cached THEN 'cached' END, CASE WHEN stale THEN 'stale' END),
		                  ', ' ORDER BY n, status)
		FROM (SELECT count(*) AS n, status, cached, stale FROM agent_queue WHERE agent_type = '$type'
		      GROUP BY status, cached, stale) AS g
		SQL
}

sub usage_of
{
	my ($type) = @_;
	return psql("SELECT count(*) FILTER (WHERE NOT cached), count(*) FILTER (WHERE cached) FROM api_usage WHERE agent_type = '$type'");
}

sub enqueue_equal
{
	my ($type, $count, $request) = @_;
	$request //= '{"text": "the same"}';
	return psql("SELECT count(*) FROM enqueue_agents('$type', array_fill('$request'::jsonb, ARRAY[$count]))");
}

sub wait_coalesced
{
	my ($type, $count) = @_;
	return $node->poll_query_until('postgres',
		"SELECT count(*) = $count FROM agent_queue WHERE agent_type = '$type' AND wait_reason = 'coalesced'")
	  || die "$count jobs of $type do not follow: " . ends_of($type);
}

# ---- a thousand equal jobs, two workers, one call

enqueue_equal('many', 1000);
wait_coalesced('many', 999);
is(psql('SELECT sum(in_flight) FROM agent_workers'), '1', 'a thousand equal jobs: followers take no slot');
is(psql(q{SELECT count(*) FROM agent_queue WHERE agent_type = 'many' AND hold_usd IS NOT NULL AND status <> 'processing'}),
	'0', 'nor a hold');
open_gate('many');
jobs_done($node, 'postgres', q{agent_type = 'many'}) or die 'the followers are not finished: ' . ends_of('many');
is(scalar(calls_of('/gate/many')), 1, 'one call');
is(ends_of('many'), '1 completed, 999 completed cached', 'all have the answer');
is(usage_of('many'), '1|999', 'each is accounted for');
is(psql(q{SELECT count(DISTINCT result) FROM agent_queue WHERE agent_type = 'many'}), '1', 'and it is the same one');

# ---- the worker of the leader is killed: the server restarts, and nobody knows any more whom they follow

enqueue_equal('killed', 1000);
wait_coalesced('killed', 999);
my $pid = psql('SELECT pid FROM agent_workers WHERE in_flight = 1');
kill 'KILL', $pid;
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM agent_workers WHERE pid = $pid AND in_flight = 1");
open_gate('killed');
jobs_done($node, 'postgres', q{agent_type = 'killed'}) or die 'kill -9: ' . ends_of('killed');
is(scalar(calls_of('/sequence/gate:killed,200/killed')), 2, 'kill -9: one call more, for the one whose end nobody knows');
is(ends_of('killed'), '1 completed, 999 completed cached', 'kill -9: all have the answer');

# ---- the leader ends badly: the oldest follower leads

enqueue_equal('bad', 100);
jobs_done($node, 'postgres', q{agent_type = 'bad'}) or die 'bad: ' . ends_of('bad');
is(scalar(calls_of('/sequence/400,200/bad')), 2, 'a refused leader: one follower calls again');
is(ends_of('bad'), '1 completed, 1 failed, 98 completed cached', 'and answers for the others');
is(psql(q{SELECT min(id) FILTER (WHERE status = 'completed' AND NOT cached) = min(id) + 1 FROM agent_queue WHERE agent_type = 'bad'}),
	't', 'it is the oldest of them');

# ---- the leader is to be tried again: they wait with it

enqueue_equal('flaky', 100);
jobs_done($node, 'postgres', q{agent_type = 'flaky'}) or die 'flaky: ' . ends_of('flaky');
is(scalar(calls_of('/sequence/503,200/flaky')), 2, 'a leader that is tried again: nobody else calls meanwhile');
is(ends_of('flaky'), '1 completed, 99 completed cached', 'and all have its answer');

# ---- the leader is cancelled

enqueue_equal('refused', 3);
wait_coalesced('refused', 2);
my $leader = psql(q{SELECT id FROM agent_queue WHERE agent_type = 'refused' AND status = 'processing'});
is(psql("SELECT cancel_agent($leader)"), 't', 'the leader is cancelled');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM agent_queue WHERE agent_type = 'refused' AND status = 'processing'})
  or die 'nobody leads: ' . ends_of('refused');
is(psql(q{SELECT count(*) FROM agent_queue WHERE agent_type = 'refused' AND wait_reason = 'coalesced'}), '1', 'another leads');
open_gate('refused_next');
jobs_done($node, 'postgres', q{agent_type = 'refused'});
is(ends_of('refused'), '1 completed, 1 completed cached, 1 failed', 'and answers for the last one');

# ---- what a call was asked for has changed while it was under way

my $old = psql(q{SELECT enqueue_agent('data', '{"text": "read", "doc": 1}')});
wait_in_flight($node, 'postgres', 1);
psql(q{SELECT cache_invalidate_dependency('doc:1')});
open_gate('data');
wait_agent($node, 'postgres', $old);
is(psql('SELECT count(*) FROM cache_store WHERE agent_type = $$data$$'), '1', 'an answer from old data is kept under the old version');
my $new = psql(q{SELECT enqueue_agent('data', '{"text": "read", "doc": 1}')});
wait_agent($node, 'postgres', $new);
ok(!job($node, 'postgres', $new)->{cached}, 'and is not found after the change');
is(scalar(calls_of('/gate/data')), 2, 'the provider is asked again');

# ---- the provider is down

is(wait_agent($node, 'postgres', enqueue($node, 'postgres', 'down')), 'echo: Hello', 'an answer');
psql(q{UPDATE cache_store SET expires_at = now(), kept_until = now() + interval '1 hour' WHERE agent_type = 'down'});
my $stale = enqueue($node, 'postgres', 'down');
is(wait_agent($node, 'postgres', $stale), 'echo: Hello', 'the provider fails: the old answer stands in');
my $row = job($node, 'postgres', $stale);
ok($row->{cached} && $row->{stale}, 'and says that it is stale');
is(scalar(calls_of('/sequence/200,500/down')), 2, 'after one attempt');
is(psql(q{SELECT count(*) FROM agent_queue WHERE wait_reason = 'coalesced'}), '0', 'nobody follows any more');
is(psql('SELECT count(*) FROM check_budgets()'), '0', 'no hold is left');

finish($node, is_killed => 1);
done_testing();
