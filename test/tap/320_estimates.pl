# Before the money is spent, over real HTTP: a route "auto" goes to the cheapest model that will do, and to another one
# as soon as a price row says so; prompts are made shorter where that is asked for, and what that saved is counted;
# estimates move to what the provider counts.
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

# ---- the estimate moves to what the provider counts: 11 and 7 tokens for "Hello"

define_agent($node, 'postgres', [ 'learned', '/ok/learned' ], [ 'tools', '/ok/tools', type => { params => '{"tools": []}' } ]);
$node->safe_psql('postgres',
	q{INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok)
	  SELECT p, 'imposter-1', 1, 2 FROM unnest(ARRAY['learned', 'tools']) AS p});
my $estimate = q{SELECT input_tokens, output_tokens, estimated_cost FROM estimate_cost('Hello', 'learned/imposter-1')};
my $error = q{FROM estimate_cost_error WHERE provider = 'learned'};
is($node->safe_psql('postgres', $estimate), '2|2|0.000006', 'before: four characters a token, three quarters of them back');

sub learn
{
	my ($count) = @_;
	my $samples = $node->safe_psql('postgres', "SELECT coalesce(sum(samples), 0) + $count $error");
	enqueue($node, 'postgres', 'learned') foreach 1 .. $count;
	ok(jobs_done($node, 'postgres'), "$count answers");
	ok($node->poll_query_until('postgres', "SELECT coalesce(sum(samples), 0) = $samples $error"), 'all are counted');
	return;
}
learn(1);
is($node->safe_psql('postgres', "SELECT input_error_percent, output_error_percent $error"),
	'81.8|71.4', 'one answer: how far off the rule of thumb was');
is($node->safe_psql('postgres', $estimate), '11|7|0.000025', 'the estimate is what the provider counted');
is( $node->safe_psql(
		'postgres', q{SELECT e.estimated_cost = q.cost_usd FROM agent_queue AS q, estimate_cost('Hello', 'learned/imposter-1') AS e
		              WHERE q.agent_type = 'learned'}),
	't', 'and its cost what the job has cost');
learn(9);
is($node->safe_psql('postgres', "SELECT input_error_percent, output_error_percent, chars_per_token $error"),
	'8.2|7.1|0.455', 'ten answers: the error shrinks');

# A worker that is stopped loses no more than what it had not told yet, and the next goes on with what is known.
$node->restart;
wait_for_workers($node, 'postgres', 1);
learn(1);
is($node->safe_psql('postgres', "SELECT input_error_percent $error"), '7.4', 'after a restart it is still known');

enqueue($node, 'postgres', 'tools');
ok(jobs_done($node, 'postgres'), 'tools: done');
learn(1);
is($node->safe_psql('postgres', q{SELECT count(*) FROM agent_token_ratios WHERE provider = 'tools'}),
	0, 'nothing is learned where more than text is billed');

finish($node);
done_testing();
