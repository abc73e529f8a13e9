# Good answers over real HTTP: what is sent, what is stored, tokens and money, keys from the environment and from files,
# and foreign bytes.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

start_imposter();
my $node = new_cluster('http');

# Key files belong to the user of the server.
my $folder = PostgreSQL::Test::Utils::tempdir();
foreach my $mode (0600, 0640)
{
	my $file = sprintf '%s/key-%o', $folder, $mode;
	append_to_file($file, "$AgentQueue::KEY\n");
	chmod $mode, $file or die "chmod: $!";
}

define_agent(
	$node, 'postgres',
	[ 'priced', '/ok/priced' ],
	[
		'shaped', '/mirror/shaped',
		type => {
			system_prompt => 'Answer in one word.',
			params => '{"temperature": 0.25, "stop": ["\\n"]}',
			max_output_tokens => 77
		}
	],
	[ 'template', '/mirror/template', type => { prompt_template => 'Say {{text}}!', result_template => '{"said": "{{text}}"}' } ],
	[ 'extra', '/mirror/extra', provider => { headers => '{"x-team": "tests"}' } ],
	[ 'key_env', '/ok/key_env', provider => { api_key_ref => 'env:AQ_TEST_KEY' } ],
	[ 'key_file', '/ok/key_file', provider => { api_key_ref => "file:$folder/key-600" } ],
	[ 'key_open', '/ok/key_open', provider => { api_key_ref => "file:$folder/key-640" } ],
	[ 'key_missing', '/ok/key_missing', provider => { api_key_ref => 'env:AQ_NOT_SET' } ],
	[ 'no_key', '/ok/no_key' ],
	[ 'foreign', '/nul/foreign' ],
	[ 'chunked', '/chunked' ],
	[ 'closing', '/close' ],
	[ 'wrong_type', '/wrongct' ],
	[ 'many_headers', '/headers/50' ]);
$node->safe_psql(
	'postgres', q{
	INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok)
	VALUES ('priced', 'imposter-1', 2.5, 10.000000001)});

my %job;
foreach my $name ($node->safe_psql('postgres', q{SELECT name FROM agent_types}))
{
	$job{$_} = enqueue($node, 'postgres', $_) foreach split /\n/, $name;
}
ok(jobs_done($node, 'postgres'), 'all are done');
$job{$_} = job($node, 'postgres', $job{$_}) foreach keys %job;

# ---- the answer, the tokens, the money

my $priced = $job{priced};
is_deeply(
	$priced->{result},
	{ text => 'echo: Hello', model => 'imposter-1', finish_reason => 'stop' },
	'the standard result');
is("$priced->{status} $priced->{provider} $priced->{model} $priced->{input_tokens} $priced->{output_tokens}",
	'completed priced imposter-1 11 7', 'target and tokens');
# 11 × 2.5 + 7 × 10.000000001 per million
is($node->safe_psql('postgres', "SELECT trim_scale(cost_usd) FROM agent_queue WHERE id = $priced->{id}"),
	'0.000097500000007', 'the cost is exact');
is( $node->safe_psql(
		'postgres', qq{
		SELECT u.attempt, u.part, u.tokens_used, u.input_tokens, u.output_tokens, u.cost_usd = q.cost_usd, u.estimated,
		       u.cached, u.created_at = q.started_at, u.latency_ms > 0, u.tableoid::regclass <> 'api_usage_default'::regclass
		FROM api_usage u JOIN agent_queue q ON q.id = u.queue_id WHERE u.queue_id = $priced->{id}}),
	'1|1|18|11|7|t|f|f|t|t|t', 'its usage row, in the partition of the month');
is($node->safe_psql('postgres', "SELECT cost_usd IS NULL FROM agent_queue WHERE id = $job{no_key}{id}"),
	't', 'an unknown price is no price');

# ---- the request

my $body = JSON::PP::decode_json($job{shaped}{result_text});
is_deeply(
	$body,
	{
		model => 'imposter-1',
		messages => [ { role => 'system', content => 'Answer in one word.' }, { role => 'user', content => 'Hello' } ],
		max_completion_tokens => 77,
		temperature => 0.25,
		stop => ["\n"]
	},
	'system prompt and params arrive');
my $said = JSON::PP::decode_json($job{template}{result}{said});
is($said->{messages}[0]{content}, 'Say Hello!', 'prompt_template and result_template');
my ($call) = calls_of('/ok/priced');
is($call->{path}, '/ok/priced/chat/completions', 'the path');

# ---- keys

foreach my $name (qw(key_env key_file))
{
	($call) = calls_of("/ok/$name");
	is($job{$name}{status}, 'completed', "$name: completed");
	ok($call->{authorization_present}, "$name: the key is sent");
}
($call) = calls_of('/ok/no_key');
ok(!$call->{authorization_present}, 'no reference, no header');
foreach my $name (qw(key_open key_missing))
{
	is("$job{$name}{status} $job{$name}{error_code} $job{$name}{retry_count}", 'failed configuration 0', "$name: refused");
	is(scalar(calls_of("/ok/$name")), 0, "$name: no call");
}
like($job{key_open}{error_message}, qr/"key_open".*can be used by its group or by others/, 'whose key and why');
like($job{key_missing}{error_message}, qr/env:AQ_NOT_SET.*not set/, 'which variable');

# ---- what servers do

my $foreign = $job{foreign};
is($foreign->{status}, 'completed', 'NUL bytes and broken UTF-8: completed');
like($foreign->{result_text}, qr/^one.?two .? ?three .+ four$/, 'the readable part is kept');
unlike($foreign->{result_text}, qr/\0/, 'without NUL');
is("$_: $job{$_}{status}", "$_: completed") foreach qw(chunked closing wrong_type many_headers extra);

is($node->safe_psql('postgres', q{SELECT count(*) FROM agent_queue AS q WHERE q::text LIKE '%SECRETSECRET%'}),
	0, 'no key in any job');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity AS a WHERE a::text LIKE '%' || 'SECRET' || 'SECRET%'}),
	0, 'nor in pg_stat_activity');
finish($node);
done_testing();
