# What the conformance tests share: the four wire formats, agent types for each of them at aimock or the imposter, and
# jobs that say what the imposter is to answer.
package Conformance;

use strict;
use warnings FATAL => 'all';

use AgentQueue;
use Exporter 'import';
use JSON::PP ();
use PostgreSQL::Test::Utils;

our @EXPORT = qw(@FORMATS agent_at ask ask_for recorded usage_of);

our @FORMATS = qw(openai anthropic gemini ollama);

my $json = JSON::PP->new->ascii->canonical->allow_nonref;

# Defines an agent type that speaks $format at $url (a path: at the imposter), with the key of AgentQueue.pm. Options as
# for define_agent.
sub agent_at
{
	my ($node, $name, $format, $url, %options) = @_;
	my %provider = (wire_format => $format, api_key_ref => 'env:AQ_TEST_KEY', %{ $options{provider} // {} });
	define_agent($node, 'postgres', $name, $url, %options, provider => \%provider);
	return;
}

# One job with that request; its id.
sub ask
{
	my ($node, $agent_type, $request) = @_;
	return $node->safe_psql('postgres',
		"SELECT enqueue_agent('$agent_type', \$request\$" . $json->encode($request) . '$request$)');
}

# One job to whose call the imposter answers that (/say): { status, headers, body }, or several.
sub ask_for
{
	my ($node, $agent_type, @answers) = @_;
	return ask($node, $agent_type, { text => $json->encode(@answers == 1 ? $answers[0] : \@answers) });
}

# An answer of a real provider, as the unit tests have it.
sub recorded
{
	my ($format, $file) = @_;
	return slurp_file("$ENV{AQ_ROOT}/test/unit/fixtures/$format/$file");
}

# What was booked for a job: "uncached input, cache read, cache write, output, reasoning, cost, estimated" of each attempt.
sub usage_of
{
	my ($node, $id) = @_;
	return $node->safe_psql(
		'postgres', qq{
		SELECT string_agg(concat_ws(' ', input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
		                            coalesce(trim_scale(cost_usd)::text, 'unpriced'), CASE WHEN estimated THEN 'estimated' END),
		                  ', ' ORDER BY attempt)
		FROM api_usage WHERE queue_id = $id});
}

1;
