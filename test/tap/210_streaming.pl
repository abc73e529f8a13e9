# Streams over real HTTP: the text so far while a call is under way, who is told of it, errors and cuts in the middle,
# a worker that is killed in the middle, and nothing left behind.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use HTTP::Tiny;
use PostgreSQL::Test::Utils;
use Test::More;

start_imposter();
my $node = new_cluster('streaming', conf => "restart_after_crash = on\n");

my $ending = 'stop,usage,done';
my %stream = (stream => 'on', stream_interval => '50 ms');
define_agent(
	$node, 'postgres',
	[ 'talk', "/sse/text:One%20,ping,text:two%20,hold,text:three,$ending", type => \%stream ],
	[ 'told', "/sse/text:One%20,hold,text:t%C3%BCo,hold:2,$ending", type => { %stream, stream_notify => 'on' } ],
	[ 'quiet', "/sse/text:One%20,hold,text:two,$ending", type => { %stream, stream_interval => undef } ],
	[ 'whole', '/ok/whole' ],
	[ 'refused', '/status/400/refused', type => { %stream, max_retries => 0 } ],
	[ 'error_event', '/sse/text:One%20,error:server_error', type => { %stream, max_retries => 1 } ],
	[ 'bad_event', '/sse/error:invalid_request_error', type => \%stream ],
	[ 'cut', '/sse/text:One%20,cut', type => { %stream, max_retries => 0, on_uncertain => 'fail', max_output_tokens => 50 } ],
	[ 'pings', '/sse/pings:20', type => { %stream, max_retries => 0, on_uncertain => 'fail' },
		provider => { first_byte_timeout => '500 ms' } ],
	[ 'lingers', '/sse/text:One,stop,usage,done,hang', type => \%stream ],
	[ 'endless', '/sse/endless:2000', type => { %stream, max_retries => 0 } ]);
$node->safe_psql(
	'postgres', q{
	INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok)
	VALUES ('cut', 'imposter-1', 1, 2)});

sub psql { return $node->safe_psql('postgres', $_[0]) }
sub release { HTTP::Tiny->new->get(provider_url('/_release')); return }
sub hold { reset_calls(); return }
sub streams_to
{
	my ($id, $text) = @_;
	return $node->poll_query_until('postgres', "SELECT agent_stream($id) = '$text'");
}
sub no_parts
{
	my ($name) = @_;
	is(psql('SELECT count(*) FROM agent_stream_parts'), 0, "$name: no parts are left");
	return;
}

# ---- the text so far, read by another session

my $id = enqueue($node, 'postgres', 'talk');
ok(streams_to($id, 'One two '), 'the text so far, while the call is under way');
is(job($node, 'postgres', $id)->{status}, 'processing', 'which has not ended');
release();
is(wait_agent($node, 'postgres', $id), 'One two three', 'the whole text');
is(psql("SELECT agent_stream($id)"), 'One two three', 'and agent_stream has it as well');
no_parts('completed');
is( psql(
		qq{SELECT first_token_ms > 0 AND first_token_ms < latency_ms, estimated, input_tokens, output_tokens
		   FROM api_usage WHERE queue_id = $id}), 't|f|11|7', 'first token and usage');
hold();

my $whole = enqueue($node, 'postgres', 'whole');
is(wait_agent($node, 'postgres', $whole), 'echo: Hello', 'a type that does not stream is answered as ever');
is(psql("SELECT first_token_ms IS NULL FROM api_usage WHERE queue_id = $whole"), 't', 'without a first token');

# ---- without an interval nothing is kept

$id = enqueue($node, 'postgres', 'quiet');
wait_in_flight($node, 'postgres', 1);
my $marker = enqueue($node, 'postgres', 'talk');
ok(streams_to($marker, 'One two '), 'another one streams');
is(psql("SELECT agent_stream($id) IS NULL"), 't', 'stream_interval NULL: no text so far');
release();
is(wait_agent($node, 'postgres', $id), 'One two', 'but the whole at the end');
is(psql("SELECT first_token_ms > 0 FROM api_usage WHERE queue_id = $id"), 't', 'and the first token');
wait_agent($node, 'postgres', $marker);
hold();

# ---- NOTIFY of progress

sub heard
{
	my ($mode, $agent) = @_;
	set_and_reload($node, 'agent_queue.notify' => $mode);
	hold();
	my $listener = $node->background_psql('postgres');
	$listener->query_safe('LISTEN agent_queue');
	my $job = enqueue($node, 'postgres', $agent);
	$node->poll_query_until('postgres', "SELECT agent_stream($job) LIKE 'One %'") or die 'no text so far';
	release();
	$node->poll_query_until('postgres', "SELECT agent_stream($job) ~ 't(üo|hree)'") or die 'the text does not grow';
	release();
	wait_agent($node, 'postgres', $job);
	$node->safe_psql('postgres', 'NOTIFY agent_queue, $$end$$');
	my $heard = '';
	for (my $turn = 0; $turn < 1000 && $heard !~ /"end"/; ++$turn) { $heard .= $listener->query_safe('SELECT 1') . "\n" }
	$listener->quit;
	hold();
	my @payloads = grep { $_ ne 'end' } $heard =~ /Asynchronous notification "agent_queue" with payload "(.*?)" received/g;
	s/"id": $job\b/"id": ID/ foreach @payloads;
	return @payloads;
}
is_deeply(
	[ heard('ids', 'told') ],
	[
		'{"id": ID, "status": "processing", "chars": 4}',
		'{"id": ID, "status": "processing", "chars": 7}',
		'{"id": ID, "status": "completed"}'
	],
	'notify = ids: how many characters there are');
my @full = heard('full', 'told');
is($full[0], '{"id": ID, "status": "processing", "chars": 4, "text": "One "}', 'notify = full: what is new');
is($full[1], "{\"id\": ID, \"status\": \"processing\", \"chars\": 7, \"text\": \"t\xC3\xBCo\"}", 'and nothing twice');
is(scalar(@full), 3, 'then the end');
is_deeply([ heard('off', 'told') ], [], 'notify = off');
set_and_reload($node, 'agent_queue.notify' => undef);
is(scalar(grep { /processing/ } heard('ids', 'talk')), 0, 'a type without stream_notify is not told of');

# ---- what goes wrong

$id = enqueue($node, 'postgres', 'refused');
ok(jobs_done($node, 'postgres', "id = $id"), 'a streamed request that is refused');
my $job = job($node, 'postgres', $id);
is("$job->{status} $job->{error_code}", 'failed invalid_request', '… is an error as ever');
like($job->{error_message}, qr/imposter says 400/, '… with the provider\'s words');

$id = enqueue($node, 'postgres', 'error_event');
ok(jobs_done($node, 'postgres', "id = $id"), 'an error event in a good answer');
$job = job($node, 'postgres', $id);
is("$job->{status} $job->{error_code} $job->{retry_count}", 'failed provider_error 1', '… is retried, then an error');
like($job->{error_message}, qr/the imposter breaks off/, '… with the provider\'s words');
is(psql("SELECT count(*), bool_and(estimated), bool_and(first_token_ms > 0) FROM api_usage WHERE queue_id = $id"),
	'2|t|t', '… and what had come is booked');
is(psql("SELECT agent_stream($id) IS NULL"), 't', '… and not shown any more');

$id = enqueue($node, 'postgres', 'bad_event');
ok(jobs_done($node, 'postgres', "id = $id"), 'an error event that no repetition mends');
$job = job($node, 'postgres', $id);
is("$job->{status} $job->{error_code} $job->{retry_count}", 'failed invalid_request 0', '… is not repeated');

$id = enqueue($node, 'postgres', 'cut');
ok(jobs_done($node, 'postgres', "id = $id"), 'a stream that is cut');
$job = job($node, 'postgres', $id);
is("$job->{status} $job->{error_code}", 'failed uncertain', '… is uncertain');
like($job->{error_message}, qr/connection ended before the answer was whole/, '… and says so');
is(psql("SELECT estimated, output_tokens, cost_usd > 0 FROM api_usage WHERE queue_id = $id"), 't|50|t',
	'… and its usage is the worst case');

$id = enqueue($node, 'postgres', 'pings');
ok(jobs_done($node, 'postgres', "id = $id"), 'keep-alives without an end');
$job = job($node, 'postgres', $id);
is("$job->{status} $job->{error_code}", 'failed uncertain', '… are no first token');
like($job->{error_message}, qr/no first token of the streamed answer within 0\.500 s/, '… and it says so');

$id = enqueue($node, 'postgres', 'lingers');
is(wait_agent($node, 'postgres', $id), 'One', 'a finished stream does not wait for the end of its connection');

set_and_reload($node, 'agent_queue.max_response_size' => '200kB');
$id = enqueue($node, 'postgres', 'endless');
ok(jobs_done($node, 'postgres', "id = $id"), 'a stream without an end');
$job = job($node, 'postgres', $id);
like($job->{error_message}, qr/larger than the bound/, '… is bounded by max_response_size');
set_and_reload($node, 'agent_queue.max_response_size' => undef);
no_parts('failed');

# ---- a job that is deleted while its answer comes

hold();
$id = enqueue($node, 'postgres', 'talk');
ok(streams_to($id, 'One two '), 'a job streams');
psql("DELETE FROM agent_queue WHERE id = $id");
is($node->psql('postgres', "SELECT agent_stream($id)"), 3, 'and is deleted');
release();
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM api_usage WHERE queue_id = $id"), 'it is accounted');
no_parts('deleted');

# ---- text so far that cannot be written is nobody's trouble

psql(q{ALTER TABLE agent_stream_parts ADD CONSTRAINT refuse CHECK (text !~ 'üo')});
hold();
$id = enqueue($node, 'postgres', 'told');
ok(streams_to($id, 'One '), 'a text that is kept in part');
my $failures = worker_sum($node, 'postgres', 'store_failures');
release();
ok( $node->poll_query_until('postgres', "SELECT sum(store_failures) > $failures FROM agent_workers"),
	'of which a part cannot be stored');
is(wait_agent($node, 'postgres', enqueue($node, 'postgres', 'whole')), 'echo: Hello', 'others are answered meanwhile');
is(psql("SELECT agent_stream($id)"), 'One ', 'it ends where it was');
release();
is(wait_agent($node, 'postgres', $id), "One t\xC3\xBCo", 'and the answer is whole');
psql('ALTER TABLE agent_stream_parts DROP CONSTRAINT refuse');
no_parts('refused');

# ---- a worker that is killed in the middle

hold();
$id = enqueue($node, 'postgres', 'talk');
ok(streams_to($id, 'One two '), 'a job streams');
my $started = psql("SELECT started_at FROM agent_queue WHERE id = $id");
my $worker = psql('SELECT pid FROM agent_workers');
kill 'KILL', $worker;
$node->poll_query_until('postgres', "SELECT started_at > '$started' FROM agent_queue WHERE id = $id")
  or die 'the job is not tried again';
ok(streams_to($id, 'One two '), 'after a crash the job begins anew, from nothing');
is(psql("SELECT count(DISTINCT started_at) FROM agent_stream_parts"), 1, 'what the dead had written is gone');

# A worker that is terminated leaves the server running, and the parts where they are.
$started = psql("SELECT started_at FROM agent_queue WHERE id = $id");
psql('SELECT pg_terminate_backend(pid) FROM agent_workers');
ok($node->poll_query_until('postgres', "SELECT started_at > '$started' FROM agent_queue WHERE id = $id AND status = 'processing'"),
	'a terminated worker\'s job is tried again');
ok(streams_to($id, 'One two '), 'from nothing');
is(psql("SELECT count(DISTINCT started_at) FROM agent_stream_parts"), 1, 'and what it had written is gone');
release();
is(wait_agent($node, 'postgres', $id), 'One two three', 'it is completed');
is(psql("SELECT count(*), count(*) FILTER (WHERE estimated) FROM api_usage WHERE queue_id = $id"), '3|2',
	'each attempt is accounted');

# ---- parts that nobody claims

psql(q{INSERT INTO agent_stream_parts VALUES (123456789, now(), 1, 'of a job that is gone')});
psql('SELECT pg_terminate_backend(pid) FROM agent_workers');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM agent_stream_parts'), 'a new worker clears them away');

finish($node, is_killed => 1, allow => [ qr/is kept no further|could not be stored/, qr/does not exist or is not visible/ ]);
done_testing();
