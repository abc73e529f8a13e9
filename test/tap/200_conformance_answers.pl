# The four wire formats against servers over real HTTP: prompts, history, tools, images and schemas arrive as they were
# meant, answers, tokens and money come back. What aimock can say, aimock says; answers with cached and reasoning tokens
# are recorded ones of the providers, which the imposter repeats.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use Aimock;
use Conformance;
use JSON::PP ();
use Test::More;

start_imposter();
start_aimock();
my $node = new_cluster('conformance_answers');

my $pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
my %schema = (type => 'object', properties => { city => { type => 'string' } }, required => ['city'], additionalProperties => JSON::PP::false);
my %tool = (type => 'function', function => { name => 'get_weather', description => 'Now', parameters => \%schema });
my %response_format = (type => 'json_schema', json_schema => { name => 'city', strict => JSON::PP::true, schema => \%schema });

foreach my $format (@FORMATS)
{
	my $aimock = aimock_url($format);
	agent_at($node, "${format}_plain", $format, $aimock, type => { system_prompt => 'Answer in one word.' });
	agent_at($node, "${format}_tools", $format, $aimock, type => { params => JSON::PP::encode_json({ tools => [ \%tool ] }) });
	agent_at($node, "${format}_shaped", $format, $aimock, type => { result_template => '{"answer": "{{json}}"}' });
	agent_at($node, "${format}_schema", $format, "/mirror/$format",
		type => { max_output_tokens => 77, params => JSON::PP::encode_json({ response_format => \%response_format }) });
	agent_at($node, "${format}_mirror", $format, "/mirror/$format", type => { system_prompt => 'Look.' });
	agent_at($node, "${format}_say", $format, "/say/$format");
}
$node->safe_psql(
	'postgres', q{
	INSERT INTO agent_models (provider, model, input_usd_per_mtok, cached_input_usd_per_mtok, cache_write_usd_per_mtok, output_usd_per_mtok)
	SELECT name, 'imposter-1', 2, 0.5, 2.5, 8 FROM agent_providers WHERE name ~ '_(plain|say)$'});

# The job's row once it is done.
sub answer_to
{
	my ($id) = @_;
	jobs_done($node, 'postgres', "id = $id") or die "job $id does not end";
	return job($node, 'postgres', $id);
}

# ---- plain answers

my %usage = (prompt_tokens => 25, completion_tokens => 7);
add_fixtures(
	[ { userMessage => 'The capital of France?' }, { content => "Paris \x{2600} \x{6771}\x{4eac} \x{1f642}", usage => \%usage } ],
	[ { userMessage => 'And of Spain?' }, { content => 'Madrid', usage => \%usage } ],
	[ { userMessage => 'As JSON' }, { content => '{"city": "Paris", "at": [48.8, 2.3]}' } ]);

foreach my $format (@FORMATS)
{
	my $job = answer_to(ask($node, "${format}_plain", { text => 'The capital of France?' }));
	is($job->{status}, 'completed', "$format: a plain answer");
	is($job->{result}{text}, "Paris \x{2600} \x{6771}\x{4eac} \x{1f642}", "$format: its text, whatever the script");
	is("$job->{result}{finish_reason} $job->{result}{model}", 'stop imposter-1', "$format: finish reason and model");
	# aimock counts no tokens of Ollama: 0 is what it reports. 25 × 2 + 7 × 8 per million.
	is(usage_of($node, $job->{id}), $format eq 'ollama' ? '0 0 0 0 0 0' : '25 0 0 7 0 0.000106', "$format: tokens and money");

	$job = answer_to(ask($node, "${format}_shaped", { text => 'As JSON' }));
	is_deeply($job->{result}, { answer => { city => 'Paris', at => [ 48.8, 2.3 ] } }, "$format: an answer in JSON, by result_template");
}

# ---- what arrives

foreach my $format (@FORMATS)
{
	my @history = (
		{ role => 'system', content => 'Be kind.' },
		{ role => 'user', content => 'The capital of France?' },
		{ role => 'assistant', content => 'Paris.' },
		{ role => 'user', content => "And of Spain? ($format)" });
	answer_to(ask($node, "${format}_plain", { messages => \@history }));
	my ($call) = journal_of("And of Spain? ($format)");
	is($call->{response}{status}, 200, "$format: the key is accepted");
	my @turns = map { "$_->{role}: $_->{content}" } @{ $call->{body}{messages} };
	my @systems = map { s/^system: //r } grep { /^system/ } @turns;
	is(join(' ', map { split } @systems), 'Answer in one word. Be kind.', "$format: both system prompts arrive");
	is(join("\n", grep { !/^system/ } @turns),
		"user: The capital of France?\nassistant: Paris.\nuser: And of Spain? ($format)",
		"$format: the history arrives");
	is($call->{body}{max_tokens} // $call->{body}{max_completion_tokens}, 1024, "$format: the bound of the output arrives");
}

# ---- tools, there and back

my %call = (toolCalls => [ { name => 'get_weather', arguments => { city => 'Paris' } } ]);
add_fixtures(
	# aimock would say FUNCTION_CALL here, which Gemini never does.
	[ { userMessage => 'The weather? (gemini)', hasToolResult => JSON::PP::false }, { %call, finishReason => 'STOP' } ],
	[ { userMessage => 'The weather?', hasToolResult => JSON::PP::false }, \%call ],
	[ { userMessage => 'The weather?', toolResultContains => '18 degrees' }, { content => 'Mild.' } ]);
foreach my $format (@FORMATS)
{
	my $question = "The weather? ($format)";
	my $job = answer_to(ask($node, "${format}_tools", { text => $question }));
	my $call = $job->{result}{tool_calls}[0];
	is($job->{result}{finish_reason}, 'tool_calls', "$format: a tool is called");
	is("$call->{type} $call->{function}{name}", 'function get_weather', "$format: in OpenAI's shape");
	is_deeply(JSON::PP::decode_json($call->{function}{arguments}), { city => 'Paris' }, "$format: with its arguments");
	ok($call->{id}, "$format: and an id");
	my ($request) = journal_of($question);
	is($request->{body}{tools}[0]{function}{name}, 'get_weather', "$format: the tool was offered");

	my @messages = (
		{ role => 'user', content => $question },
		{ role => 'assistant', content => undef, tool_calls => $job->{result}{tool_calls} },
		{ role => 'tool', tool_call_id => $call->{id}, content => '{"now": "18 degrees"}' });
	$job = answer_to(ask($node, "${format}_tools", { messages => \@messages }));
	is($job->{result}{text}, 'Mild.', "$format: the tool's result arrives");
}

# ---- images and schemas, in each format's own place

my %image_of = (
	openai => sub { $_[0]{messages}[1]{content}[1]{image_url}{url} },
	anthropic => sub { my $source = $_[0]{messages}[0]{content}[1]{source}; "data:$source->{media_type};$source->{type},$source->{data}" },
	gemini => sub { my $data = $_[0]{contents}[0]{parts}[1]{inlineData}; "data:$data->{mimeType};base64,$data->{data}" },
	ollama => sub { "data:image/png;base64,$_[0]{messages}[1]{images}[0]" });
my %question_of = (
	openai => sub { $_[0]{messages}[1]{content}[0]{text} },
	anthropic => sub { $_[0]{messages}[0]{content}[0]{text} },
	gemini => sub { $_[0]{contents}[0]{parts}[0]{text} },
	ollama => sub { $_[0]{messages}[1]{content} });
my %schema_of = (
	openai => sub { $_[0]{response_format}{json_schema}{schema} },
	gemini => sub { $_[0]{generationConfig}{responseMimeType} eq 'application/json' && $_[0]{generationConfig}{responseJsonSchema} },
	ollama => sub { $_[0]{format} });
my %bound_of = (
	openai => sub { $_[0]{max_completion_tokens} },
	anthropic => sub { $_[0]{max_tokens} },
	gemini => sub { $_[0]{generationConfig}{maxOutputTokens} },
	ollama => sub { $_[0]{options}{num_predict} });

my @parts = ({ type => 'text', text => 'What is this?' }, { type => 'image_url', image_url => { url => "data:image/png;base64,$pixel" } });
foreach my $format (@FORMATS)
{
	my $job = answer_to(ask($node, "${format}_mirror", { messages => [ { role => 'user', content => \@parts } ] }));
	my $body = JSON::PP::decode_json($job->{result}{text});
	is($image_of{$format}->($body), "data:image/png;base64,$pixel", "$format: an image passes");
	is($question_of{$format}->($body), 'What is this?', "$format: beside its question");

	$job = answer_to(ask($node, "${format}_schema", { text => 'Where?' }));
	$body = JSON::PP::decode_json($job->{result}{text});
	is($bound_of{$format}->($body), 77, "$format: max_output_tokens");
	is_deeply($schema_of{$format}->($body), \%schema, "$format: the schema of the answer") if $schema_of{$format};
}

# ---- tokens and money: cached, written and reasoning tokens apart, each at its price

my @booked = (
	# uncached input, cache read, cache write, output, of it reasoning, dollars
	[ openai => 'cached_reasoning', '214 1536 256 300 192 0.004236' ],
	[ openai => 'deepseek', '64 256 0 57 40 0.000712' ],
	[ anthropic => 'cached', '50 100000 700 503 0 0.055874' ],
	[ anthropic => 'thinking', '30 0 0 210 198 0.00174' ],
	[ gemini => 'cached_reasoning', '200 2027 0 331 310 0.0040615' ],
	[ ollama => 'answer', '26 0 0 298 0 0.002436' ],
	[ ollama => 'prompt_in_memory', '0 0 0 3 0 0.000024' ]);
foreach my $case (@booked)
{
	my ($format, $file, $expected) = @$case;
	my $job = answer_to(ask_for($node, "${format}_say", { body => recorded($format, "$file.json") }));
	is(usage_of($node, $job->{id}), $expected, "$format, $file: booked");
	is($job->{status}, 'completed', "$format, $file: completed");
	unlike($job->{result}{text}, qr/think|greet|Compare/, "$format, $file: thoughts are no answer");
}
foreach my $format (@FORMATS)
{
	my $body = JSON::PP::decode_json(recorded($format, 'answer.json'));
	delete @$body{qw(usage usageMetadata prompt_eval_count eval_count)};
	my $job = answer_to(ask_for($node, "${format}_say", { body => $body }));
	is($job->{status}, 'completed', "$format: an answer that does not say what it cost");
	like(usage_of($node, $job->{id}), qr/^[1-9]\d* 0 0 1024 0 0\.\d+ estimated$/, "$format: is booked at its worst case");
}

# ---- how answers end

my @ends = (
	[ openai => 'refusal', 'refusal', '', q{I'm sorry, I cannot assist with that request.} ],
	[ openai => 'content_filter', 'content_filter', 'The first step' ],
	[ openai => 'answer', 'length', undef, undef, qr/"finish_reason"\s*:\s*"stop"/, '"finish_reason":"length"' ],
	[ anthropic => 'refusal', 'refusal', q{I can't } ],
	[ anthropic => 'truncated', 'length', 'Once upon a' ],
	[ gemini => 'content_filter', 'content_filter', '' ],
	[ gemini => 'truncated', 'length', '' ],
	[ ollama => 'truncated', 'length', 'Once upon' ]);
foreach my $case (@ends)
{
	my ($format, $file, $reason, $text, $refusal, $from, $to) = @$case;
	my $body = recorded($format, "$file.json");
	$body =~ s/$from/$to/ or die "$file has no $from" if $from;
	my $job = answer_to(ask_for($node, "${format}_say", { body => $body }));
	is("$job->{status} " . ($job->{result}{finish_reason} // ''), "completed $reason", "$format, $file: $reason");
	is($job->{result}{text}, $text, "$format, $file: what there is of the text") if defined $text;
	is($job->{result}{refusal}, $refusal, "$format, $file: the refusal's own words");
}
my $blocked = answer_to(ask_for($node, 'gemini_say', { body => recorded('gemini', 'blocked_prompt.json') }));
is("$blocked->{status} $blocked->{error_code}", 'failed invalid_request', 'gemini: a blocked prompt is no answer');
like($blocked->{error_message}, qr/the prompt was blocked: PROHIBITED_CONTENT/, 'and says why');

finish($node);
done_testing();
