# Streams of the four wire formats: a streamed answer gives the same result, the same tokens and the same money as the
# same answer in one piece; one that is cut or ends in an error is charged for what may have been billed. Streams by
# aimock, and recorded ones of the providers by the imposter.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use Aimock;
use Conformance;
use JSON::PP ();
use Test::More;

start_imposter();
start_aimock();
my $node = new_cluster('conformance_streams');

my %tool = (type => 'function', function => { name => 'get_weather', parameters => { type => 'object', properties => { city => { type => 'string' } } } });
my %stream = (stream => 'on', retry_base => '10 min');
foreach my $format (@FORMATS)
{
	agent_at($node, "${format}_mock", $format, aimock_url($format), type => { %stream, params => JSON::PP::encode_json({ tools => [ \%tool ] }) });
	agent_at($node, "${format}_mock_once", $format, aimock_url($format), type => { %stream, max_retries => 0 });
	agent_at($node, "${format}_mock_again", $format, aimock_url($format), type => { %stream, retry_base => '10 ms' });
	agent_at($node, "${format}_whole", $format, "/say/$format/whole");
	agent_at($node, "${format}_stream", $format, "/say/$format/stream", type => \%stream);
	agent_at($node, "${format}_stream_once", $format, "/say/$format/once", type => { %stream, max_retries => 0 });
}
$node->safe_psql(
	'postgres', q{
	INSERT INTO agent_models (provider, model, input_usd_per_mtok, cached_input_usd_per_mtok, cache_write_usd_per_mtok, output_usd_per_mtok)
	SELECT name, 'imposter-1', 2, 0.5, 2.5, 8 FROM agent_providers WHERE NOT shipped});

# The job's row once it is done, or waits for another attempt.
sub decided
{
	my ($id) = @_;
	$node->poll_query_until('postgres',
		"SELECT status IN ('completed', 'failed') OR (status = 'scheduled' AND error_code IS NOT NULL) FROM agent_queue WHERE id = $id")
	  or die "job $id does not end";
	return job($node, 'postgres', $id);
}

sub end_of
{
	my ($job) = @_;
	return "scheduled $job->{wait_reason} $job->{retry_count}" if $job->{status} eq 'scheduled';
	return "$job->{status} $job->{retry_count}" . ($job->{status} eq 'failed' ? " $job->{error_code}" : '');
}

sub first_token_of
{
	my ($id) = @_;
	return $node->safe_psql('postgres',
		"SELECT string_agg(CASE WHEN first_token_ms > 0 THEN 'told' ELSE 'none' END, ' ' ORDER BY attempt) FROM api_usage WHERE queue_id = $id");
}

# ---- aimock's streams

my $long = join ' ', map { "Zeile $_: \x{fc}ber \x{6771}\x{4eac}." } 1 .. 40;
my %usage = (prompt_tokens => 25, completion_tokens => 7);
my %call = (toolCalls => [ { name => 'get_weather', arguments => { city => 'Paris' } } ], usage => \%usage);
my %pieces = (chunkSize => 5);
# Without a pause between its pieces aimock ends the connection before the first of them is sent.
my %cut = (%pieces, latency => 10, truncateAfterChunks => 4);
add_fixtures(
	[ { userMessage => 'Tell me.' }, { content => $long, usage => \%usage }, \%pieces ],
	[ { userMessage => 'The weather? (gemini)' }, { %call, finishReason => 'STOP' }, \%pieces ],
	[ { userMessage => 'The weather?' }, \%call, \%pieces ],
	[ { userMessage => 'Break off.' }, { content => $long, usage => \%usage }, \%cut ],
	(map { [ { userMessage => "Break off once. ($_)", sequenceIndex => 0 }, { content => $long, usage => \%usage }, \%cut ] } @FORMATS),
	[ { userMessage => 'Break off once.' }, { content => 'Whole.', usage => \%usage }, \%pieces ]);

foreach my $format (@FORMATS)
{
	my $booked = $format eq 'ollama' ? '0 0 0 0 0 0' : '25 0 0 7 0 0.000106';
	my $job = decided(ask($node, "${format}_mock", { text => 'Tell me.' }));
	is($job->{result}{text}, $long, "$format: a streamed answer is whole");
	is($job->{result}{finish_reason}, 'stop', "$format: its end");
	is(usage_of($node, $job->{id}), $booked, "$format: its tokens and money");
	is(first_token_of($job->{id}), 'told', "$format: its first token");
	my @calls = journal_of('Tell me.');
	is($calls[-1]{body}{stream}, JSON::PP::true, "$format: a stream was asked for");

	$job = decided(ask($node, "${format}_mock", { text => "The weather? ($format)" }));
	my $call = $job->{result}{tool_calls}[0];
	is("$job->{result}{finish_reason} $call->{function}{name}", 'tool_calls get_weather', "$format: a streamed tool call");
	is_deeply(JSON::PP::decode_json($call->{function}{arguments}), { city => 'Paris' }, "$format: its arguments are put together");

	$job = decided(ask($node, "${format}_mock_once", { text => 'Break off.' }));
	is(end_of($job), 'failed 0 uncertain', "$format: a stream that breaks off");
	is($job->{result}, undef, "$format: is no answer");
	like(usage_of($node, $job->{id}), qr/^[1-9]\d* 0 0 1024 0 0\.\d+ estimated$/, "$format: but may have been billed");

	$job = decided(ask($node, "${format}_mock_again", { text => "Break off once. ($format)" }));
	is(end_of($job) . " $job->{result}{text}", 'completed 1 Whole.', "$format: and is tried again");
	like(usage_of($node, $job->{id}), qr/^\S+ 0 0 1024 0 \S+ estimated, \Q$booked\E$/, "$format: with both attempts booked");
}

# ---- recorded streams, beside the same answers in one piece

my %type_of = (openai => 'text/event-stream', anthropic => 'text/event-stream; charset=utf-8', gemini => 'text/event-stream', ollama => 'application/x-ndjson');

sub streamed
{
	my ($agent, $format, $body, %more) = @_;
	return decided(ask_for($node, "${format}_$agent", { headers => { 'content-type' => $type_of{$format} }, body => $body, %more }));
}

my @recorded = (
	[ openai => qw(answer tool_call refusal deepseek) ],
	[ anthropic => qw(answer tool_call thinking) ],
	[ gemini => qw(answer tool_call cached_reasoning) ],
	[ ollama => qw(answer tool_call thinking) ]);
foreach my $case (@recorded)
{
	my ($format, @files) = @$case;
	foreach my $file (@files)
	{
		my $whole = decided(ask_for($node, "${format}_whole", { body => recorded($format, "$file.json") }));
		my $stream = streamed('stream', $format, recorded($format, "stream_$file.txt"));
		is($stream->{status}, 'completed', "$format, $file: streamed");
		is_deeply($stream->{result}, $whole->{result}, "$format, $file: the same result as in one piece");
		is(usage_of($node, $stream->{id}), usage_of($node, $whole->{id}), "$format, $file: the same tokens and money");
	}
}

# ---- streams that end badly

foreach my $format (@FORMATS)
{
	my $stream = recorded($format, 'stream_answer.txt');
	my $half = substr $stream, 0, length($stream) / 2;
	my $job = streamed('stream_once', $format, $half, cut => JSON::PP::true);
	is(end_of($job), 'failed 0 uncertain', "$format: half a stream, cut");
	like(usage_of($node, $job->{id}), qr/ 1024 \d+ 0\.\d+ estimated$/, "$format: is booked at its worst");

	# Some servers end the connection in good order in the middle of an answer.
	$job = streamed('stream_once', $format, $half);
	is(end_of($job), 'failed 0 uncertain', "$format: half a stream, ended in good order");
	like(usage_of($node, $job->{id}), qr/ 1024 \d+ 0\.\d+ estimated$/, "$format: is booked at its worst, too");

	$job = streamed('stream', $format, recorded($format, 'stream_error.txt'));
	is(end_of($job), 'scheduled backoff 1', "$format: an error within a stream is an error");
	like(usage_of($node, $job->{id}), qr/ estimated$/, "$format: what came before it may have been billed");

	$job = decided(ask_for($node, "${format}_stream", { status => 429, headers => { 'retry-after' => '60' } }));
	is(end_of($job), 'scheduled rate_limited 0', "$format: an error instead of a stream is as ever");
	is(usage_of($node, $job->{id}), '', "$format: and costs nothing");

	$job = decided(ask_for($node, "${format}_stream", { body => recorded($format, 'answer.json') }));
	is($job->{status}, 'completed', "$format: an answer in one piece where a stream was asked for");
}
my $blocked = streamed('stream', 'gemini', recorded('gemini', 'stream_blocked_prompt.txt'));
is(end_of($blocked), 'failed 0 invalid_request', 'gemini: a blocked prompt, streamed');

finish($node);
done_testing();
