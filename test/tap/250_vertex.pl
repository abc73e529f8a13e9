# Vertex AI: a service account's key file becomes access tokens, by the token endpoint that the file names, and those
# become Authorization headers. The imposter checks the signature.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = PostgreSQL::Test::Utils::tempdir();
system_or_bail('openssl', 'genpkey', '-quiet', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048',
	'-out', "$folder/$_.pem") foreach qw(known unknown);
system_or_bail('openssl', 'pkey', '-in', "$folder/known.pem", '-pubout', '-out', "$folder/public.pem");
$ENV{AQ_TOKEN_KEY} = "$folder/public.pem";
start_imposter();

# The JSON of an account whose token endpoint is $token_uri.
sub account
{
	my ($token_uri, %options) = @_;
	return JSON::PP->new->pretty->encode(
		{
			type => 'service_account',
			project_id => 'p',
			private_key_id => '0123456789abcdef',
			private_key => slurp_file("$folder/" . ($options{key} // 'known') . '.pem'),
			client_email => 'worker@p.iam.gserviceaccount.com',
			token_uri => $token_uri,
			%{ $options{members} // {} }
		});
}

# A key file of the server's user; its reference.
sub key_file
{
	my ($name, $content) = @_;
	append_to_file("$folder/$name.json", $content);
	chmod 0600, "$folder/$name.json" or die "chmod: $!";
	return "file:$folder/$name.json";
}

# An agent type whose provider is the imposter's Vertex.
sub vertex
{
	my ($name, $ref) = @_;
	return [
		$name, "/vertex/$name/v1/projects/p/locations/eu/publishers/google",
		provider => { wire_format => 'gemini', api_key_ref => $ref }
	];
}

$ENV{AQ_ACCOUNT} = account(provider_url('/token/from_env'));
my $other_name = provider_url('/token/elsewhere') =~ s/127\.0\.0\.1/localhost/r;
my $node = new_cluster('vertex');
define_agent(
	$node, 'postgres',
	vertex('ten', key_file('ten', account(provider_url('/token/ten')))),
	vertex('from_env', 'env:AQ_ACCOUNT'),
	vertex('flaky', key_file('flaky', account(provider_url('/token/flaky')))),
	vertex('stale', key_file('stale', account(provider_url('/token/stale')))),
	vertex('never', key_file('never', account(provider_url('/token/never')))),
	vertex('refused', key_file('refused', account(provider_url('/token/refuse')))),
	vertex('unknown', key_file('unknown', account(provider_url('/token/unknown'), key => 'unknown'))),
	vertex('keyless', key_file('keyless', account(provider_url('/token/keyless'), members => { private_key => 'none' }))),
	vertex('halved', key_file('halved', substr account(provider_url('/token/halved')), 0, 500)),
	vertex('person', key_file('person', account(provider_url('/token/person'), members => { type => 'authorized_user' }))),
	vertex('open', key_file('open', account('http://oauth2.example.com/token'))),
	vertex('metadata', key_file('metadata', account('https://169.254.169.254/token'))),
	vertex('elsewhere', key_file('elsewhere', account($other_name))),
	vertex('hanging', key_file('hanging', account(provider_url('/hang/token')))));

sub psql { return $node->safe_psql('postgres', $_[0]) }

# ---- tokens

enqueue($node, 'postgres', 'ten', count => 10);
my $from_env = enqueue($node, 'postgres', 'from_env');
ok(jobs_done($node, 'postgres'), 'all are done');
is(psql(q{SELECT count(*) FROM agent_queue WHERE status = 'completed' AND retry_count = 0 AND output_tokens = 7}),
	11, 'and completed in their first attempts');
is(scalar(calls_of('/token/ten')), 1, 'ten jobs, one token');
my @calls = calls_of('/vertex/ten');
is(scalar(@calls), 10, 'ten calls');
is($calls[0]{path}, '/vertex/ten/v1/projects/p/locations/eu/publishers/google/models/imposter-1:generateContent', 'the path');
is(job($node, 'postgres', $from_env)->{result_text}, 'echo: Hello', 'an account from the environment');
is(wait_agent($node, 'postgres', enqueue($node, 'postgres', 'ten')), 'echo: Hello', 'a later job');
is(scalar(calls_of('/token/ten')), 1, 'uses the same token');

# ---- no token

my %job = map { $_ => enqueue($node, 'postgres', $_) }
  qw(flaky stale never refused unknown keyless halved person open metadata);
ok(jobs_done($node, 'postgres'), 'all end');
$job{$_} = job($node, 'postgres', $job{$_}) foreach keys %job;

my %complaint = (
	refused => qr/^provider "refused": no access token for service account worker\@p\S+: HTTP 400: invalid_grant: Account is disabled: \[redacted\]$/,
	unknown => qr/^provider "unknown": .*invalid_grant: Invalid JWT Signature\.$/,
	keyless => qr/^provider "keyless": .*the private key is no unencrypted key in PEM form$/,
	halved => qr/^provider "halved": the key is a JSON document that cannot be read/,
	person => qr/^provider "person": credentials of type "authorized_user" cannot be used$/,
	open => qr/^provider "open": the token_uri of the service account is no https address$/,
	metadata => qr/^provider "metadata": .*metadata address/);
foreach my $name (sort keys %complaint)
{
	is("$job{$name}{status} $job{$name}{error_code} $job{$name}{retry_count}", 'failed configuration 0', "$name: configuration");
	like($job{$name}{error_message}, $complaint{$name}, "$name: says why");
	is(scalar(calls_of("/vertex/$name")), 0, "$name: the model was not called");
}
is("$job{flaky}{status} $job{flaky}{retry_count}", 'completed 1', 'a token endpoint that fails costs an attempt');
is("$job{stale}{status} $job{stale}{retry_count}", 'completed 1', 'a refused token is renewed');
is(scalar(calls_of('/token/stale')), 2, 'once');
is("$job{never}{status} $job{never}{error_code}", 'failed provider_error', 'a provider that refuses the new one, too');
is(scalar(calls_of('/token/never')), 2, 'is not asked in a loop');
like($job{never}{error_message}, qr/^HTTP 401: invalid authentication credentials: \[redacted\]/, 'what it said, without the token');
is(psql(q{SELECT count(*) FROM api_usage WHERE estimated}), 0, 'nothing was booked as uncertain');

# ---- bounds

set_and_reload($node, 'agent_queue.allowed_hosts' => '127.0.0.1');
my $elsewhere = enqueue($node, 'postgres', 'elsewhere');
jobs_done($node, 'postgres');
like(job($node, 'postgres', $elsewhere)->{error_message}, qr/localhost:\d+ is not in agent_queue.allowed_hosts/,
	'allowed_hosts holds for the token endpoint');
is(scalar(calls_of('/token/elsewhere')), 0, 'which was not called');
set_and_reload($node, 'agent_queue.allowed_hosts' => undef);

# ---- while a token does not come

psql(q{UPDATE agent_types SET request_timeout = '1 s', max_retries = 0 WHERE name = 'hanging'});
my $hanging = enqueue($node, 'postgres', 'hanging');
is(wait_agent($node, 'postgres', enqueue($node, 'postgres', 'ten')), 'echo: Hello', 'others go on');
jobs_done($node, 'postgres');
my $timed_out = job($node, 'postgres', $hanging);
is("$timed_out->{status} $timed_out->{error_code}", 'failed provider_error', 'request_timeout holds');
like($timed_out->{error_message}, qr/timed out while waiting for an access token/, 'and it is said for what');

psql(q{UPDATE agent_types SET request_timeout = '5 min', max_retries = 3 WHERE name = 'hanging'});
psql(q{SELECT enqueue_agent('hanging', '{"text": "Hello"}', expires_in => '1 s')});
jobs_done($node, 'postgres');
is(psql(q{SELECT error_code FROM agent_queue ORDER BY id DESC LIMIT 1}), 'expired', 'expires_at holds');

$hanging = enqueue($node, 'postgres', 'hanging');
wait_in_flight($node, 'postgres', 1);
psql(q{UPDATE agent_providers SET (base_url, api_key_ref) =
	(SELECT base_url, api_key_ref FROM agent_providers WHERE name = 'ten') WHERE name = 'hanging'});
cmp_ok(seconds_of { $node->restart }, '<', 15, 'a shutdown does not wait for it');
is(wait_agent($node, 'postgres', $hanging), 'echo: Hello', 'and the job is taken up after it');

# ---- secrets

my ($key_line) = (split /\n/, slurp_file("$folder/known.pem"))[5];
foreach my $secret ('SECRET' . 'SECRET', 'PRIVATE ' . 'KEY', $key_line)
{
	is(psql(qq{SELECT count(*) FROM agent_queue AS q WHERE strpos(q::text, '$secret') > 0}), 0, 'no secret in any job');
}
ok(index(slurp_file($node->logfile), $key_line) < 0, 'no private key in the log');
unlike(slurp_file($node->logfile), qr/eyJhbGciOi/, 'no JWT either');
finish($node);
done_testing();
