# Logical replication of the jobs. What the publisher does with a job (claims it, fails, plans the next attempt) arrives
# on the subscriber as it is, but for the place in line: there nothing runs before adopt_jobs().
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

start_imposter();
my $publisher = new_cluster('publisher', conf => "wal_level = logical\nmax_wal_senders = 5\n");
my $subscriber = new_cluster('subscriber');
define_agent($publisher, 'postgres', 'twice', '/sequence/500,hang/publisher', type => { retry_base => '2 s' });
define_agent($subscriber, 'postgres', 'twice', '/ok/subscriber');
# Ids of its own jobs, away from the publisher's.
$subscriber->safe_psql('postgres', 'ALTER TABLE agent_queue ALTER id RESTART WITH 1000000');

my $address = $publisher->connstr . ' dbname=postgres';
$publisher->safe_psql('postgres', 'CREATE PUBLICATION jobs FOR TABLE agent_queue');
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION jobs CONNECTION '$address' PUBLICATION jobs");
$subscriber->wait_for_subscription_sync($publisher, 'jobs');

sub columns
{
	my ($node, $id, $columns) = @_;
	return $node->safe_psql('postgres', "SELECT $columns FROM agent_queue WHERE id = $id");
}

# One attempt fails, and the next is planned.
my $id = enqueue($publisher, 'postgres', 'twice');
$publisher->poll_query_until('postgres', "SELECT status = 'scheduled' FROM agent_queue WHERE id = $id")
  or die 'the first attempt has not failed';
$publisher->safe_psql('postgres', 'UPDATE agent_queues SET paused = true');
$publisher->wait_for_catchup('jobs');
is(columns($publisher, $id, 'retry_count, claim_key IS NOT NULL'), '1|t', 'the publisher has the job in line');
is(columns($subscriber, $id, 'retry_count, claim, claim_key'),
	'1||', 'the subscriber has what happened, and no place in line');

# A job of the subscriber's own that becomes due later is done: the worker has looked at what is due.
my $own = enqueue($subscriber, 'postgres', 'echo', delay => q{'3 s'});
is(wait_agent($subscriber, 'postgres', $own), 'Hello', 'the subscriber does its own jobs');
is(columns($subscriber, $id, 'retry_count, claim, claim_key'), '1||', 'but not the replicated one');

# A call is under way on the publisher. To the subscriber's worker that is no claim of a dead one.
$publisher->safe_psql('postgres', 'UPDATE agent_queues SET paused = false');
wait_in_flight($publisher, 'postgres', 1);
$publisher->wait_for_catchup('jobs');
is(columns($publisher, $id, 'status, claim IS NOT NULL'), 'processing|t', 'the publisher has claimed the job');
is(columns($subscriber, $id, 'status, claim, claim_key'), 'processing||', 'the subscriber sees that, without the claim');
$subscriber->restart;
wait_for_workers($subscriber, 'postgres', 1);
is(wait_agent($subscriber, 'postgres', enqueue($subscriber, 'postgres', 'echo')), 'Hello', 'it starts again');
is(columns($subscriber, $id, 'status, claim, claim_key'), 'processing||', 'and rescues nothing');
is(scalar(calls_of('/ok/subscriber')), 0, 'the subscriber has called nobody');

# The publisher is given up. Adopted, the job runs here.
$publisher->stop('immediate');
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION jobs DISABLE');
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION jobs SET (slot_name = NONE)');
$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION jobs');
is($subscriber->safe_psql('postgres', 'SELECT adopt_jobs()'), '1', 'one job is adopted');
is(wait_agent($subscriber, 'postgres', $id), 'echo: Hello', 'and done');
is(scalar(calls_of('/ok/subscriber')), 1, 'by one call');

finish($subscriber,
	allow => [qr/could not (?:connect|receive|send)|replication|server closed the connection|apply worker/]);
done_testing();
