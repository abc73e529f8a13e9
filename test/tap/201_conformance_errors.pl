# What providers say when they do not answer, in each wire format, and what becomes of the job: its error_code, or its
# wait_reason and run_at. Nothing is waited for: a job that is to be tried again is looked at while it waits.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use Aimock;
use Conformance;
use JSON::PP ();
use POSIX qw(strftime);
use Test::More;

start_imposter();
start_aimock();
$ENV{AQ_WRONG_KEY} = 'sk-not-accepted';
my $node = new_cluster('conformance_errors');

# The back-off is ten minutes and up to a quarter of it more: what waits for less was told when to come back.
my %patient = (retry_base => '10 min');
foreach my $format (@FORMATS)
{
	agent_at($node, "${format}_say", $format, "/say/$format", type => \%patient);
	agent_at($node, "${format}_mock", $format, aimock_url($format), type => \%patient);
	agent_at($node, "${format}_locked", $format, aimock_url($format), type => \%patient, provider => { api_key_ref => 'env:AQ_WRONG_KEY' });
}

# ---- the cases: name => { id, and what is expected }

my (%case, @order);

sub expect_of
{
	my ($name, $id, $end, @more) = @_;
	$case{$name} = { id => $id, end => $end, @more };
	push @order, $name;
	return;
}

# The imposter answers so; the job is expected to end or wait so: "failed error_code" or "scheduled wait_reason retry_count".
sub said
{
	my ($name, $format, $answer, $end, @more) = @_;
	return expect_of("$format, $name", ask_for($node, "${format}_say", $answer), $end, @more);
}

# ---- recorded errors, under the status they came with

my @recorded = (
	[ openai => 400, 'error_context_length.json', 'failed invalid_request', qr/maximum context length is 8192/ ],
	[ openai => 401, 'error_invalid_key.json', 'failed provider_error', qr/Incorrect API key/ ],
	[ openai => 429, 'error_insufficient_quota.json', 'failed provider_error', qr/exceeded your current quota/ ],
	[ openai => 429, 'error_rate_limit.json', 'scheduled rate_limited 1', qr/Rate limit reached/ ],
	[ openai => 500, 'error_server.json', 'scheduled backoff 1', qr/had an error while processing/ ],
	[ openai => 502, 'error_502.html', 'scheduled backoff 1', qr/Bad Gateway/ ],
	[ anthropic => 400, 'error_invalid.json', 'failed invalid_request', qr/Input should be a valid list/ ],
	[ anthropic => 400, 'error_prompt_too_long.json', 'failed invalid_request', qr/prompt is too long/ ],
	[ anthropic => 400, 'error_usage_limits.json', 'failed provider_error', qr/regain access on 2026-12-01/ ],
	[ anthropic => 401, 'error_authentication.json', 'failed provider_error', qr/invalid x-api-key/ ],
	[ anthropic => 402, 'error_billing.json', 'failed provider_error', qr/credit balance is too low/ ],
	[ anthropic => 403, 'error_permission.json', 'failed provider_error', qr/does not have permission/ ],
	[ anthropic => 404, 'error_not_found.json', 'failed invalid_request', qr/claude-nine/ ],
	[ anthropic => 413, 'error_too_large.html', 'failed invalid_request', qr/413 Request Entity Too Large/ ],
	[ anthropic => 429, 'error_rate_limit.json', 'scheduled rate_limited 1', qr/50,000 input tokens/ ],
	[ anthropic => 429, 'error_spend_limit.json', 'failed provider_error', qr/monthly spend limit/ ],
	[ anthropic => 500, 'error_api.json', 'scheduled backoff 1', qr/Internal server error/ ],
	[ anthropic => 529, 'error_overloaded.json', 'scheduled backoff 1', qr/HTTP 529: Overloaded/ ],
	[ anthropic => 200, 'error_overloaded.json', 'scheduled backoff 1', qr/HTTP 200: Overloaded/ ],
	[ gemini => 400, 'error_api_key.json', 'failed provider_error', qr/API key not valid/ ],
	[ gemini => 400, 'error_invalid.json', 'failed invalid_request', qr/Invalid value at 'contents'/ ],
	[ gemini => 400, 'error_precondition.json', 'failed invalid_request', qr/location is not supported/ ],
	[ gemini => 400, 'error_prompt_too_long.json', 'failed invalid_request', qr/input token count \(1200000\)/ ],
	[ gemini => 403, 'error_permission.json', 'failed provider_error', qr/unregistered callers/ ],
	[ gemini => 404, 'error_not_found.json', 'failed invalid_request', qr/gemini-9 is not found/ ],
	[ gemini => 429, 'error_daily_quota.json', 'failed provider_error', qr/exceeded your current quota/ ],
	[ gemini => 429, 'error_rate_limit.json', 'scheduled rate_limited 0', qr/retry in 38\.5s/, 38.5 ],
	[ gemini => 500, 'error_internal.json', 'scheduled backoff 1', qr/internal error has occurred/ ],
	[ gemini => 503, 'error_unavailable.json', 'scheduled backoff 1', qr/model is overloaded/ ],
	[ ollama => 400, 'error_context_length.json', 'failed invalid_request', qr/exceeds the context length/ ],
	[ ollama => 400, 'error_no_tools.json', 'failed invalid_request', qr/does not support tools/ ],
	[ ollama => 404, 'error_not_found.json', 'failed invalid_request', qr/"llama9" not found/ ],
	[ ollama => 500, 'error_runner.json', 'scheduled backoff 1', qr/runner process has terminated/ ],
	[ ollama => 200, 'error_runner.json', 'scheduled backoff 1', qr/runner process has terminated/ ],
	[ ollama => 503, 'error_busy.json', 'scheduled backoff 1', qr/server busy/ ]);
foreach my $case (@recorded)
{
	my ($format, $status, $file, $end, $message, $wait_s) = @$case;
	said("$status $file", $format, { status => $status, body => recorded($format, $file) }, $end, message => $message, wait_s => $wait_s);
}

# ---- each way to say when to come back

my $in_90_s = time + 90;
my %http_date = ('retry-after' => strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime $in_90_s));
my $rfc3339 = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $in_90_s);
foreach my $format (@FORMATS)
{
	my $wait = sub {
		my ($name, $headers, %expected) = @_;
		said("429 $name", $format, { status => 429, headers => $headers }, 'scheduled rate_limited 0', %expected);
	};
	$wait->('retry-after in seconds', { 'retry-after' => '37' }, wait_s => 37);
	$wait->('retry-after with a fraction', { 'retry-after' => '7.25' }, wait_s => 7.25);
	$wait->('retry-after as a date', \%http_date, until => $in_90_s);
	$wait->('retry-after-ms before retry-after', { 'retry-after' => '60', 'retry-after-ms' => '4500' }, wait_s => 4.5);
	said('429 retry-after of nothing', $format, { status => 429, headers => { 'retry-after' => '0' } }, 'scheduled rate_limited 1');
	said('429 retry-after of nonsense', $format, { status => 429, headers => { 'retry-after' => 'soon' } }, 'scheduled rate_limited 1');
	# An overload with a time costs an attempt, and the longer of the two waits is kept.
	said('503 retry-after', $format, { status => 503, headers => { 'retry-after' => '1200' } }, 'scheduled backoff 1', wait_s => 1200);
}
my %window = (
	'x-ratelimit-remaining-requests' => '0', 'x-ratelimit-reset-requests' => '1m30s',
	'x-ratelimit-remaining-tokens' => '149984', 'x-ratelimit-reset-tokens' => '6m0s');
said('429 x-ratelimit-reset-requests', 'openai', { status => 429, headers => \%window }, 'scheduled rate_limited 0', wait_s => 90);
said('429 x-ratelimit-reset-tokens', 'openai', { status => 429, headers => { %window, 'x-ratelimit-remaining-tokens' => '0' } },
	'scheduled rate_limited 0', wait_s => 360);
said('429 a reset in milliseconds', 'openai', { status => 429, headers => { %window, 'x-ratelimit-reset-requests' => '120ms', 'retry-after-ms' => '30000' } },
	'scheduled rate_limited 0', wait_s => 30);
said('429 anthropic-ratelimit-input-tokens-reset', 'anthropic', {
		status => 429, body => recorded('anthropic', 'error_rate_limit.json'),
		headers => {
			'anthropic-ratelimit-requests-remaining' => '12', 'anthropic-ratelimit-requests-reset' => '2099-01-01T00:00:00Z',
			'anthropic-ratelimit-input-tokens-remaining' => '0', 'anthropic-ratelimit-input-tokens-reset' => $rfc3339
		}
	}, 'scheduled rate_limited 0', until => $in_90_s);
said('529 with retry-after', 'anthropic', { status => 529, headers => { 'retry-after' => '1200' }, body => recorded('anthropic', 'error_overloaded.json') },
	'scheduled backoff 1', wait_s => 1200);
said('429 RetryInfo in an array', 'gemini', { status => 429, body => '[' . recorded('gemini', 'error_rate_limit.json') . ']' },
	'scheduled rate_limited 0', wait_s => 38.5);
said('429 x-should-retry: false', 'openai', { status => 429, headers => { 'x-should-retry' => 'false' } }, 'failed invalid_request');
said('400 x-should-retry: true', 'anthropic', { status => 400, headers => { 'x-should-retry' => 'true' } }, 'scheduled backoff 1');

# ---- the same from aimock

my %error_of = (400 => 'invalid_request_error', 404 => 'not_found_error', 429 => 'rate_limit_error', 500 => 'api_error', 503 => 'UNAVAILABLE', 529 => 'overloaded_error');
add_fixtures(
	(map { [ { userMessage => "Say $_." }, { status => $_, error => { message => "aimock says $_", type => $error_of{$_} }, $_ == 429 ? (retryAfter => 41) : () } ] } keys %error_of),
	[ { userMessage => 'Garble it.' }, { content => 'never seen' }, { chaos => { malformedRate => 1 } } ],
	[ { userMessage => 'Hang up.' }, { content => 'never seen' }, { chaos => { disconnectRate => 1 } } ],
	[ { userMessage => 'Drop it.' }, { content => 'never seen' }, { chaos => { dropRate => 1 } } ]);
my @mocked = (
	[ 'Say 400.', 'failed invalid_request', message => qr/HTTP 400: aimock says 400/ ],
	[ 'Say 404.', 'failed invalid_request', message => qr/HTTP 404: aimock says 404/ ],
	[ 'Say 429.', 'scheduled rate_limited 0', message => qr/aimock says 429/, wait_s => 41 ],
	[ 'Say 500.', 'scheduled backoff 1', message => qr/aimock says 500/ ],
	[ 'Say 503.', 'scheduled backoff 1', message => qr/aimock says 503/ ],
	[ 'Say 529.', 'scheduled backoff 1', message => qr/aimock says 529/ ],
	[ 'Drop it.', 'scheduled backoff 1', message => qr/HTTP 500: Chaos: request dropped/ ],
	[ 'Garble it.', 'scheduled backoff 1', message => qr/not JSON: .*malformed/, usage => 'estimated' ],
	[ 'Hang up.', 'scheduled backoff 1', message => qr/connection|reply|recv/i, usage => 'estimated' ]);
foreach my $format (@FORMATS)
{
	expect_of("$format, aimock: $_->[0]", ask($node, "${format}_mock", { text => $_->[0] }), @$_[ 1 .. $#$_ ]) foreach @mocked;
	expect_of("$format, aimock: another key", ask($node, "${format}_locked", { text => 'Hello' }), 'failed provider_error',
		message => qr/HTTP 401: /);
}

# ---- what became of them

my $undecided = q{status IN ('pending', 'processing') OR (status = 'scheduled' AND error_code IS NULL)};
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM agent_queue WHERE $undecided") or die 'not every call ends';
my %job = map { my $job = JSON::PP::decode_json($_); $job->{id} => $job } split /\n/, $node->safe_psql(
	'postgres', q{
	SELECT to_jsonb(q) || jsonb_build_object(
		'waits_s', extract(epoch FROM run_at - started_at), 'run_at_s', extract(epoch FROM run_at),
		'usage', (SELECT string_agg(CASE WHEN estimated THEN 'estimated' ELSE 'reported' END, ' ') FROM api_usage WHERE queue_id = q.id))
	FROM agent_queue AS q});

foreach my $name (@order)
{
	my ($expected, $job) = ($case{$name}, $job{ $case{$name}{id} });
	my $end = $job->{status} eq 'scheduled' ? "scheduled $job->{wait_reason} $job->{retry_count}" : "$job->{status} " . ($job->{error_code} // '');
	is($end, $expected->{end}, "$name: $expected->{end}");
	like($job->{error_message}, $expected->{message}, "$name: says why") if $expected->{message};
	is($job->{usage} // '', $expected->{usage} // '', "$name: usage");
	next unless $end =~ /^scheduled/;
	# A call takes less than ten seconds, on a busy machine too.
	if (my $until = $expected->{until})
	{
		cmp_ok(abs($job->{run_at_s} - $until), '<', 10, "$name: waits until that time");
		next;
	}
	my ($least, $most) = defined $expected->{wait_s} ? ($expected->{wait_s}, $expected->{wait_s} + 10) : (600, 760);
	ok($job->{waits_s} >= $least && $job->{waits_s} < $most, "$name: waits $least s")
	  or diag("waits $job->{waits_s} s");
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM agent_queue AS q WHERE q::text ~ 'SECRETSECRET|sk-not-accepted'}), 0, 'no key in any job');

finish($node);
done_testing();
