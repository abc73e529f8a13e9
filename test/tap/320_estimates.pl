# Before the money is spent, over real HTTP: a route "auto" goes to the cheapest model that will do, and to another one
# as soon as a price row says so; prompts are made shorter where that is asked for, and what that saved is counted.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use JSON::PP ();
use Test::More;

start_imposter();
my $node = new_cluster('estimates');

# ---- routes with model auto

$node->safe_psql(
	'postgres', sprintf q{
	UPDATE agent_providers SET enabled = false WHERE name <> 'echo';
	INSERT INTO agent_providers (name, base_url) VALUES ('one', '%s'), ('two', '%s');
	INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok, capability, max_output_tokens)
	VALUES ('one', 'plain', 1, 2, 'medium', 8000), ('two', 'plain', 3, 6, 'medium', 8000),
	       ('two', 'thinker', 9, 9, 'high', 8000);
	INSERT INTO agent_types (name, expires_in, complexity) VALUES ('any', NULL, 'medium'), ('hard', NULL, 'high');
	UPDATE agent_types SET requires_reasoning = true WHERE name = 'hard';
	INSERT INTO agent_routes (agent_type, provider, model) VALUES ('any', 'auto', 'auto'), ('hard', 'two', 'auto');
}, provider_url('/ok/one'), provider_url('/ok/two'));

sub run_job
{
	my ($agent_type) = @_;
	my $id = enqueue($node, 'postgres', $agent_type);
	ok(jobs_done($node, 'postgres'), "$agent_type: done");
	return job($node, 'postgres', $id);
}

my $job = run_job('any');
is("$job->{status} $job->{provider} $job->{model}", 'completed one plain', 'the cheapest');
is($node->safe_psql('postgres', "SELECT provider, model, cost_usd FROM api_usage WHERE queue_id = $job->{id}"),
	'one|plain|0.000025', 'its usage names what was called, at its price');

$node->safe_psql('postgres', q{UPDATE agent_models SET input_usd_per_mtok = 30 WHERE provider = 'one'});
$job = run_job('any');
is("$job->{status} $job->{provider} $job->{model}", 'completed two plain', 'dearer now: the other one');
is(scalar(calls_of('/ok/one')), 1, 'one call went to the first');
is(scalar(calls_of('/ok/two')), 1, 'and one to the second');

$node->safe_psql('postgres', q{UPDATE agent_providers SET enabled = false WHERE name = 'two'});
$job = run_job('any');
is("$job->{status} $job->{provider}", 'completed one', 'the cheapest provider is switched off');
$node->safe_psql('postgres', q{UPDATE agent_providers SET enabled = true WHERE name = 'two'});

$job = run_job('hard');
is("$job->{status} $job->{error_code} $job->{retry_count}", 'failed configuration 0', 'no model fits');
like($job->{error_message}, qr/capability high or higher, reasoning, and 1024 output tokens/, 'what was looked for');
$node->safe_psql('postgres', q{UPDATE agent_models SET reasoning = true WHERE model = 'thinker'});
$job = run_job('hard');
is("$job->{status} $job->{provider} $job->{model}", 'completed two thinker', 'now one does');

# ---- prompts made shorter

define_agent(
	$node, 'postgres',
	[
		'short', '/mirror/short',
		type => { compress => 't', compress_language => 'en', system_prompt => 'Please keep in mind that JSON is wanted.' }
	],
	[ 'plain', '/mirror/plain', type => { system_prompt => 'Please be kind.' } ]);

my $request = q{{"text": "Please read the information: \\"please\\" is said in {\\"description\\": \\"please\\"}."}};
my %body;
foreach my $name (qw(short plain))
{
	my $id = $node->safe_psql('postgres', qq{SELECT enqueue_agent('$name', '$request')});
	ok(jobs_done($node, 'postgres'), "$name: done");
	$job = job($node, 'postgres', $id);
	$body{$name} = JSON::PP::decode_json($job->{result_text});
	$body{$name}{usage} = $node->safe_psql('postgres', "SELECT compressed_tokens, input_tokens FROM api_usage WHERE queue_id = $id");
}
is_deeply(
	[ map { $_->{content} } @{ $body{short}{messages} } ],
	[ 'JSON is wanted.', 'Read the info: "please" is said in {"description": "please"}.' ],
	'the compressed prompt is what is sent');
is_deeply(
	[ map { $_->{content} } @{ $body{plain}{messages} } ],
	[ 'Please be kind.', 'Please read the information: "please" is said in {"description": "please"}.' ],
	'not asked for: sent as it is');
# 40 letters are saved; 75 were sent and counted as 11 tokens.
is($body{short}{usage}, '6|11', 'the tokens saved stand on the usage');
is($body{plain}{usage}, '|11', 'not asked for: none');

finish($node);
done_testing();
