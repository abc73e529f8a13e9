# The room of the response cache: what has ended is deleted by the worker, and where there is too much, what nobody has
# asked for goes, in entries and in bytes.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('room', conf => <<~'CONF');
	agent_queue.upkeep_interval = 1s
	agent_queue.cache_max_entries = 1000
	CONF

sub psql { return $node->safe_psql('postgres', $_[0]) }

sub fill
{
	my ($from, $to, $bytes) = @_;
	return psql("SELECT count(cache_set('query', to_jsonb(n), to_jsonb(repeat(md5(n::text), $bytes / 32)), ttl => '1 hour')) FROM generate_series($from, $to) AS n");
}

# ---- what has ended

psql(q{SELECT count(cache_set('query', to_jsonb('short ' || n), to_jsonb(n), ttl => '1 ms')) FROM generate_series(1, 500) AS n});
fill(1, 100, 32);
$node->poll_query_until('postgres', 'SELECT count(*) = 100 FROM cache_store') or die 'what has ended is still there';
pass('entries that have ended are deleted, others stay');

# ---- too many: used ones stay

fill(101, 900, 32);
psql(q{SELECT count(cache_get('query', to_jsonb(n))) FROM generate_series(1, 100) AS n});
fill(901, 2500, 32);
$node->poll_query_until('postgres', 'SELECT count(*) <= 1000 FROM cache_store') or die 'there are too many entries';
is(psql(q{SELECT count(cache_get('query', to_jsonb(n))) FROM generate_series(1, 100) AS n}), '100',
	'too many entries: those that were asked for stay');
is(psql('SELECT count(*) = 1000 FROM cache_store'), 't', 'and no more go than have to');

# ---- too large

set_and_reload($node, 'agent_queue.cache_max_size' => '1MB', 'agent_queue.cache_max_entries' => undef);
psql('DELETE FROM cache_store');
fill(1, 1000, 4096);
$node->poll_query_until('postgres', 'SELECT sum(bytes) <= 1024 * 1024 FROM cache_store') or die 'the cache is too large';
cmp_ok(psql('SELECT sum(bytes) FROM cache_store'), '>', 1024 * 1024 - 8192, 'too many bytes: as many go as have to');

finish($node);
done_testing();
