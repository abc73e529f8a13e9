# Jobs that are cancelled or deleted while they are called, and whose worker dies before it has noted the end of the call:
# until somebody else has booked it, its hold and its place count; then it is booked once, and both are free.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

start_imposter();
my $node = new_cluster('orphans', conf => "restart_after_crash = on\n");
define_agent($node, 'postgres', [ 'gated', '/gate', type => { queue => 'gates' } ], ['quick', '/ok'], [ 'dear', '/ok' ]);
$node->safe_psql('postgres', q{
	INSERT INTO agent_queues (name) VALUES ('gates');
	UPDATE agent_types SET max_output_tokens = CASE name WHEN 'dear' THEN 1000000 ELSE 10 END WHERE name <> 'echo';
	INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok, valid_from)
	SELECT provider, model, 100, 1000, '2020-01-01' FROM agent_routes WHERE agent_type <> 'echo';
	INSERT INTO agent_tiers (name) VALUES ('member');
	INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('member', '*', 1000000)});

sub sql { return $node->safe_psql('postgres', @_) }

# An opened gate stays open: each call has its own.
my $gates = 0;
sub close_gate
{
	$gates++;
	sql("UPDATE agent_providers SET base_url = '" . provider_url("/gate/orphan$gates") . "' WHERE name = 'gated'");
	return;
}

my $users = 0;
# One call at a time, and a dollar a day.
sub new_user
{
	my $id = sprintf '00000000-0000-0000-0000-0000003150%02x', ++$users;
	sql("INSERT INTO agent_users (user_id, tier, concurrency, daily_cost_usd) VALUES ('$id', 'member', 1, 1)");
	return $id;
}

sub enqueue_as
{
	my ($user, $type) = @_;
	return sql(qq{SELECT enqueue_agent('$type', '{"prompt": "Hello"}', user_id => '$user', expires_in => '1 h')});
}

# What the ledger says of the user: it is told to whom it refuses a job.
sub ledger_of
{
	my ($user) = @_;
	my (undef, undef, $error) = $node->psql('postgres',
		qq{\\set VERBOSITY verbose\nSELECT enqueue_agent('dear', '{"prompt": "Hello"}', user_id => '$user')});
	my ($held) = $error =~ /"held_usd":"([\d.]+)"/;
	my ($spent) = $error =~ /"spent_usd":"([\d.]+)"/;
	return defined $held && defined $spent ? sprintf('%.6f+%.6f', $spent, $held) : "no answer: $error";
}

sub tables_of
{
	my ($user) = @_;
	return sql(qq{SELECT round(spent_usd, 6) || '+' || round(held_usd, 6) FROM budget_status WHERE name = '$user' AND period = 'day'});
}

# A hold is settled right after the commit that sessions see.
sub ledger_follows_tables
{
	my ($user, $name) = @_;
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
	usleep(20_000) until ledger_of($user) eq tables_of($user) || time > $deadline;
	return is(ledger_of($user), tables_of($user), $name);
}

# The first row of all makes the month's partition.
my $first = enqueue_as(new_user(), 'quick');
is(wait_agent($node, 'postgres', $first), 'echo: Hello', 'a job runs');

my %ends = (
	cancelled => sub { sql("SELECT cancel_agent($_[0])") },
	deleted => sub { sql("DELETE FROM agent_queue WHERE id = $_[0]") },
	truncated => sub { sql('TRUNCATE agent_queue') },
	'cancelled and tried again' => sub { sql("UPDATE agent_queues SET paused = true WHERE name = 'gates'; SELECT cancel_agent($_[0]), retry_agent($_[0])") });
my %deaths = (
	terminated => sub { sql("SELECT pg_terminate_backend($_[0])") },
	killed => sub { kill 'KILL', $_[0] });

sub try_end
{
	my ($end, $death) = @_;
	my $case = "$end, and the worker is $death";
	my $user = new_user();
	close_gate();
	my $id = enqueue_as($user, 'gated');
	wait_in_flight($node, 'postgres', 1);
	my $worker = sql('SELECT pid FROM agent_workers');
	my $hold = sql("SELECT round(hold_usd, 6) FROM agent_queue WHERE id = $id");
	cmp_ok($hold, '>', 0, "$case: the job holds \$$hold");

	# No usage can be written, not after a crash either: so nothing is settled.
	sql("BEGIN; LOCK TABLE api_usage IN SHARE MODE; PREPARE TRANSACTION 'no usage'");
	$ends{$end}->($id);
	is(tables_of($user), "0.000000+$hold", "$case: the tables know what its call may cost");
	$deaths{$death}->($worker);
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM agent_workers WHERE pid <> $worker") or die 'there is no other worker';
	# After a restart the ledger is there as soon as a session may enqueue.
	is(ledger_of($user), "0.000000+$hold", "$case: so does the ledger");
	is(tables_of($user), "0.000000+$hold", "$case: and the tables still do");

	sql("ROLLBACK PREPARED 'no usage'");
	ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM api_usage WHERE queue_id = $id AND estimated"), "$case: it is booked at its worst");
	ledger_follows_tables($user, "$case: then nothing is held any more");
	like(tables_of($user), qr/^0\.0[1-9]\d*\+0\.000000$/, "$case: but spent: " . tables_of($user));
	is(sql('SELECT count(*) FROM agent_orphans'), 0, "$case: nobody looks for it again");
	is(wait_agent($node, 'postgres', enqueue_as($user, 'quick')), 'echo: Hello', "$case: the user's place is free");
	is(sql("SELECT count(*) FROM api_usage WHERE queue_id = $id"), 1, "$case: it is booked once");
	is(sql('SELECT count(*) FROM check_budgets()'), 0, "$case: no budget is exceeded");
	return $id;
}

foreach my $death (sort keys %deaths)
{
	try_end($_, $death) foreach qw(cancelled deleted truncated);
	my $id = try_end('cancelled and tried again', $death);
	is(job($node, 'postgres', $id)->{status}, 'pending', 'the new attempt has not begun');
	open_gate("orphan$gates");
	sql("UPDATE agent_queues SET paused = false WHERE name = 'gates'");
	is(wait_agent($node, 'postgres', $id), 'echo: Hello', 'and runs by itself');
	is(sql("SELECT string_agg(estimated::text, ' ' ORDER BY created_at) FROM api_usage WHERE queue_id = $id"), 'true false', 'both are booked');
}

# ---- the cancel commits after the death

my $user = new_user();
close_gate();
my $id = enqueue_as($user, 'gated');
wait_in_flight($node, 'postgres', 1);
my $worker = sql('SELECT pid FROM agent_workers');
my $session = $node->background_psql('postgres');
$session->query_safe("BEGIN; SELECT cancel_agent($id)");
sql("SELECT pg_terminate_backend($worker)");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM agent_workers WHERE pid <> $worker") or die 'there is no other worker';
$session->query_safe('COMMIT');
$session->quit;
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM api_usage WHERE queue_id = $id AND estimated"), 'a cancel that commits after the death of the worker: it is booked');
is(job($node, 'postgres', $id)->{status}, 'failed', 'and the job stays cancelled');
ledger_follows_tables($user, 'nothing is held any more');

# ---- the worker lives, and the calls of both attempts end at the same time: each is settled as itself

sql('DELETE FROM agent_queue WHERE status IN (\'completed\', \'failed\'); DELETE FROM api_usage');
close_gate();
enqueue($node, 'postgres', 'gated', count => 20);
wait_in_flight($node, 'postgres', 20);
# Nobody tells the worker of a two-phase commit, and with NOTIFY there is none: so the first call goes on.
set_and_reload($node, 'agent_queue.notify' => 'off');
$node->poll_query_until('postgres', q{SELECT current_setting('agent_queue.notify') = 'off'});
sql(q{BEGIN; SELECT count(*) FILTER (WHERE cancel_agent(id)), count(*) FILTER (WHERE retry_agent(id)) FROM agent_queue; PREPARE TRANSACTION 'both'});
sql(q{COMMIT PREPARED 'both'});
set_and_reload($node, 'agent_queue.notify' => undef);
sql('UPDATE agent_types SET priority = priority');    # the worker looks through everything
wait_in_flight($node, 'postgres', 40);
is(sql('SELECT count(*) FROM agent_orphans'), 20, 'twenty jobs are called twice');
open_gate("orphan$gates");
ok($node->poll_query_until('postgres', 'SELECT count(*) = 40 FROM api_usage'), 'all calls end and are booked');
is(sql('SELECT count(*) FROM agent_orphans'), 0, 'none is looked for again');
is(sql(q{SELECT count(*) FROM agent_queue WHERE status = 'completed'}), 20, 'and the jobs have their answers');

# ---- the worker lives: it does it itself, whoever deletes the job

sql(q{CREATE ROLE janitor; GRANT SELECT (id), DELETE ON agent_queue TO janitor;
	CREATE POLICY janitor ON agent_queue FOR ALL TO janitor USING (true)});
close_gate();
$user = new_user();
$id = enqueue_as($user, 'gated');
wait_in_flight($node, 'postgres', 1);
is(sql("SET ROLE janitor; DELETE FROM agent_queue WHERE id = $id; RESET ROLE; SELECT count(*) FROM agent_orphans"), 1, 'a running job is deleted by somebody without rights on the other tables');
open_gate("orphan$gates");
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM api_usage WHERE queue_id = $id AND NOT estimated"), 'its call ends and is booked');
is(sql('SELECT count(*) FROM agent_orphans'), 0, 'together with that it is forgotten');
ledger_follows_tables($user, 'and nothing is held');

finish($node, is_killed => 1, allow => [ qr/budget of the day does not suffice|the store is busy/ ]);
done_testing();
