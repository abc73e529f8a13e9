# Bounds: expiry, the size of an answer, allowed hosts and keys; and one slow call that holds up nobody.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use Test::More;

start_imposter();
my $node = new_cluster('http_bounds');
define_agent(
	$node, 'postgres',
	[ 'plain', '/ok/plain' ],
	[ 'keyed', '/ok/keyed', provider => { api_key_ref => 'env:AQ_TEST_KEY' } ],
	[ 'slow', '/delay/5000' ],
	[ 'endless', '/endless', type => { max_retries => 0 } ],
	[ 'bomb', '/gzip', type => { max_retries => 0 } ],
	[ 'big_header', '/bigheader/2000000', type => { max_retries => 0 } ],
	[ 'many_headers', '/headers/10000', type => { max_retries => 0 } ],
	[ 'huge', '/huge/1000000', type => { max_retries => 0 } ],
	[ 'ahead', '/sequence/429:60,200/ahead', type => { expires_in => '10 s' } ]);

sub ends_as
{
	my ($id, $end, $what) = @_;
	jobs_done($node, 'postgres', "id = $id");
	my $job = job($node, 'postgres', $id);
	is(join(' ', $job->{status}, $job->{status} eq 'failed' ? $job->{error_code} : ()), $end, $what);
	return $job;
}

# ---- expiry

$node->safe_psql('postgres', q{INSERT INTO agent_queues (name, paused) VALUES ('parked', true)});
my $id = enqueue($node, 'postgres', 'plain', queue => q{'parked'}, expires_in => q{'50 ms'});
$node->poll_query_until('postgres', "SELECT expires_at < clock_timestamp() FROM agent_queue WHERE id = $id");
$node->safe_psql('postgres', q{UPDATE agent_queues SET paused = false WHERE name = 'parked'});
my $job = ends_as($id, 'failed expired', 'a job whose time has passed');
is(scalar(calls_of('/ok/plain')), 0, 'is not called');
my ($status, $out, $err) = $node->psql('postgres', "SELECT wait_agent($id)");
like($err, qr/the job expired before it was called/, 'wait_agent says so');

$job = ends_as(enqueue($node, 'postgres', 'ahead'), 'failed provider_error', 'an appointment after the expiry');
like($job->{error_message}, qr/expires before the next retry/, 'is not waited for');

# ---- one slow call

my $slow = enqueue($node, 'postgres', 'slow');
wait_in_flight($node, 'postgres', 1);
my $took = seconds_of
{
	enqueue($node, 'postgres', 'plain', count => 200);
	jobs_done($node, 'postgres', q{agent_type = 'plain'});
};
diag(sprintf '200 calls beside a slow one: %.2f s', $took);
is(job($node, 'postgres', $slow)->{status}, 'processing', 'two hundred calls end while a slow one is in flight');

# ---- sizes; what is compressed is not unpacked

set_and_reload($node, 'agent_queue.max_response_size' => '64kB');
foreach my $name (qw(endless huge bomb big_header many_headers))
{
	$job = ends_as(enqueue($node, 'postgres', $name), 'failed provider_error', "$name: bounded");
	like($job->{error_message}, $name eq 'bomb' ? qr/not JSON/ : qr/larger than the bound/, "$name: says so");
	is($node->safe_psql('postgres', "SELECT count(*) FROM api_usage WHERE queue_id = $job->{id} AND estimated"),
		1, "$name: was billed for all we know");
}
set_and_reload($node, 'agent_queue.max_response_size' => undef);

# ---- hosts and keys

set_and_reload($node, 'agent_queue.allowed_hosts' => 'api.example.com, *.example.org');
reset_calls();
$job = ends_as(enqueue($node, 'postgres', 'plain'), 'failed configuration', 'a host that is not allowed');
like($job->{error_message}, qr/127\.0\.0\.1.*allowed_hosts/, 'says where to allow it');
is(scalar(calls_of('/')), 0, 'and is not called');
set_and_reload($node, 'agent_queue.allowed_hosts' => '127.0.0.1', 'agent_queue.allowed_key_refs' => 'env:OPENAI_*');
ends_as(enqueue($node, 'postgres', 'plain'), 'completed', 'a host that is allowed again');
$job = ends_as(enqueue($node, 'postgres', 'keyed'), 'failed configuration', 'a key reference that is not allowed');
like($job->{error_message}, qr/env:AQ_TEST_KEY/, 'is named');
set_and_reload($node, 'agent_queue.allowed_hosts' => undef, 'agent_queue.allowed_key_refs' => undef);
ends_as(enqueue($node, 'postgres', 'keyed'), 'completed', 'and is read again when it is');

ends_as($slow, 'completed', 'the slow call was in flight all the while');
finish($node, allow => [qr/ERROR:  the job expired before it was called/]);
done_testing();
