# Everything that can go wrong between here and the provider, one agent type each, all at the same time: what the job
# says, how often it was called and what was booked.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use PostgreSQL::Test::Cluster;
use Test::More;

start_imposter();
my $node = new_cluster('http_failures');
my $closed_port = PostgreSQL::Test::Cluster::get_free_port();

# A label of 64 bytes is refused by the resolver itself: no question leaves this machine.
my $unknown_host = 'x' x 64 . '.example.com';
# A connection that was kept and is reset within a second is tried once more by curl, and nobody is charged for that: the
# two resets below come later.

my %once = (max_retries => 0);
my %twice = (max_retries => 1);
my %secret = (api_key_ref => 'env:AQ_TEST_KEY');
my %short = (first_byte_timeout => '300 ms');

# name, where, options; status and error code, retry_count, calls, usage rows (e: estimated), error message
my @cases = (
	[ 'unauthorized', '/status/401/a', { provider => \%secret }, 'failed provider_error', 0, 1, '', qr/HTTP 401: imposter says 401/ ],
	[ 'forbidden', '/status/403/a', {}, 'failed provider_error', 0, 1, '', qr/imposter says 403/ ],
	[ 'no_money', '/status/402/a', {}, 'failed provider_error', 0, 1, '', qr/imposter says 402/ ],
	[ 'repeats_key', '/secret', { provider => \%secret }, 'failed invalid_request', 0, 1, '', qr/bad credentials: Bearer \[redacted\]/ ],
	[ 'bad_request', '/status/400/a', {}, 'failed invalid_request', 0, 1, '', qr/imposter says 400/ ],
	[ 'appointment', '/sequence/429:1,200/a', {}, 'completed', 0, 2, '-', undef ],
	[ 'limited', '/sequence/429,200/b', {}, 'completed', 1, 2, '-', undef ],
	[ 'flaky', '/sequence/500,500,500,200/c', {}, 'completed', 3, 4, '-', undef ],
	[ 'broken', '/status/500/a', { type => \%twice }, 'failed provider_error', 1, 2, '', qr/imposter says 500/ ],
	[ 'gateway', '/html502', { type => \%twice }, 'failed provider_error', 1, 2, '', qr/HTTP 502: .*Bad Gateway/ ],
	[ 'not_json', '/notjson', { type => \%twice }, 'failed provider_error', 1, 2, 'ee', qr/HTTP 200: .*JSON/ ],
	[ 'empty', '/empty', { type => \%once }, 'failed provider_error', 0, 1, 'e', qr/empty answer/ ],
	[ 'not_http', '/nothttp', { type => \%once }, 'failed uncertain', 0, 1, 'e', qr/./ ],
	[ 'redirect', '/redirect', {}, 'failed invalid_request', 0, 1, '', qr/redirects to \/ok, and redirects are not followed/ ],
	[ 'reset', '/delayed_rst/1200', { type => \%once }, 'failed uncertain', 0, 1, 'e', qr/connection ended|reset/i ],
	[ 'reset_once', '/sequence/delayed_rst:1200,200/d', {}, 'completed', 1, 2, 'e-', undef ],
	[ 'cut', '/cut/body', { type => \%once }, 'failed uncertain', 0, 1, 'e', qr/before the answer was whole/ ],
	[ 'cut_headers', '/cut/headers', { type => \%once }, 'failed uncertain', 0, 1, 'e', qr/before the answer was whole/ ],
	[ 'silent', '/hang/a', { type => \%twice, provider => \%short }, 'failed uncertain', 1, 2, 'ee', qr/no answer after 0\.3\d* s/ ],
	[ 'silent_fail', '/hang/b', { type => { on_uncertain => 'fail' }, provider => \%short }, 'failed uncertain', 0, 1, 'e', qr/no first byte/ ],
	[ 'too_slow', '/drip/20', { type => { max_retries => 0, request_timeout => '500 ms' } }, 'failed uncertain', 0, 1, 'e', qr/no whole answer after 0\.5/ ],
	[ 'too_slow_headers', '/drip_headers/5', { type => { max_retries => 0, request_timeout => '500 ms' } }, 'failed uncertain', 0, 1, 'e', qr/no whole answer after 0\.5/ ],
	[ 'stalled', '/stall', { type => \%once, provider => { idle_timeout => '300 ms' } }, 'failed uncertain', 0, 1, 'e', qr/bytes of the answer received/ ],
	[ 'closed', "http://127.0.0.1:$closed_port", { type => \%twice }, 'failed provider_error', 1, 0, '', qr/127\.0\.0\.1:$closed_port: .*connect/i ],
	[ 'unknown_host', "https://$unknown_host", { type => \%twice }, 'failed provider_error', 1, 0, '', qr/Could not resolve host/ ],
	[ 'metadata', 'http://169.254.169.254', {}, 'failed configuration', 0, 0, '', qr/metadata address is never called/ ],
	[ 'link_local', 'https://[fe80::1]', {}, 'failed configuration', 0, 0, '', qr/link-local address/ ],
	[ 'plain_http', 'http://192.0.2.1', {}, 'failed configuration', 0, 0, '', qr/plain http/ ],
	[ 'disabled', '/ok/disabled', { provider => { enabled => 'off' } }, 'failed configuration', 0, 0, '', qr/no route to an enabled provider/ ],
);

define_agent($node, 'postgres', map { [ $_->[0], $_->[1], %{ $_->[2] } ] } @cases);
my %id = map { $_->[0] => enqueue($node, 'postgres', $_->[0]) } @cases;
my $took = seconds_of { ok(jobs_done($node, 'postgres'), 'every job ends') };
diag(sprintf 'all ended within %.1f s', $took);

foreach my $case (@cases)
{
	my ($name, $path, undef, $end, $retries, $calls, $usage, $message) = @$case;
	my $job = job($node, 'postgres', $id{$name});
	is(join(' ', $job->{status}, $job->{status} eq 'failed' ? $job->{error_code} : ()), $end, "$name: $end");
	is($job->{retry_count}, $retries, "$name: retries");
	is(scalar(calls_of("$path/chat")), $calls, "$name: calls") if $path =~ m{^/};
	is( $node->safe_psql(
			'postgres', qq{
			SELECT coalesce(string_agg(CASE WHEN estimated THEN 'e' ELSE '-' END, '' ORDER BY attempt), '')
			FROM api_usage WHERE queue_id = $id{$name}}),
		$usage, "$name: usage");
	like($job->{error_message}, $message, "$name: message") if $message;
	is($job->{error_message}, undef, "$name: no message is left") unless $message;
}

# ---- times

sub gaps_of
{
	my @at = map { $_->{at} } calls_of("$_[0]/chat");
	return map { $at[$_] - $at[ $_ - 1 ] } 1 .. $#at;
}

my ($gap) = gaps_of('/sequence/429:1,200/a');
cmp_ok($gap, '>=', 1, 'Retry-After: 1 is obeyed');
cmp_ok($gap, '<', 2, 'and no longer than that');
my @gaps = gaps_of('/sequence/500,500,500,200/c');
diag('waits of the back-off: ' . join ', ', map { sprintf '%.3f', $_ } @gaps);
cmp_ok($gaps[2], '>', $gaps[0], 'the back-off grows');
is(scalar(calls_of('/ok/chat')), 0, 'the redirect was not followed');
foreach my $name (qw(metadata link_local plain_http))
{
	cmp_ok($node->safe_psql('postgres', "SELECT extract(epoch FROM completed_at - started_at) FROM agent_queue WHERE id = $id{$name}"),
		'<', 1, "$name: refused at once");
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM agent_queue AS q WHERE q::text LIKE '%SECRETSECRET%'}),
	0, 'no key in any job');
is($node->safe_psql('postgres', q{SELECT count(*) FROM api_usage WHERE estimated AND (tokens_used IS NULL OR tokens_used <= 0)}),
	0, 'estimated usage is never nothing');

finish($node);
done_testing();
