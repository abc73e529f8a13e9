# Budgets over two workers: never overshot at any commit, through kill -9 and restarts; what happens at the limit.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

start_imposter();
my $node = new_cluster('budgets', conf => "agent_queue.min_workers = 2\nagent_queue.max_workers = 2\nrestart_after_crash = on\n");
wait_for_workers($node, 'postgres', 2);
# Each answer costs 11 × $100 + 7 × $1,000 per million: $0.0081. A job may cost more: its bytes as tokens, and 10 tokens.
define_agent($node, 'postgres', ['paid', '/delay/20/v1'], ['slow', '/delay/300/v1'], ['gated', '/gate/budget'],
	['unpriced', '/v1']);
$node->safe_psql('postgres', q{
	UPDATE agent_types SET max_output_tokens = 10, retry_base = '1 ms' WHERE name <> 'echo';
	INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok, valid_from)
	SELECT provider, model, 100, 1000, '2020-01-01' FROM agent_routes WHERE agent_type IN ('paid', 'slow', 'gated');
	INSERT INTO agent_tiers (name) VALUES ('member');
	INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('member', '*', 1000000)});

my $users = 0;
# A user of a tier without limits but those given, as SQL: column => value.
sub new_user
{
	my (%columns) = @_;
	my $id = sprintf '00000000-0000-0000-0000-0000003100%02x', ++$users;
	my @names = sort keys %columns;
	my $list = join ', ', 'user_id', 'tier', @names;
	my $values = join ', ', "'$id'", "'member'", map { $columns{$_} } @names;
	$node->safe_psql('postgres', "INSERT INTO agent_users ($list) VALUES ($values)");
	return $id;
}

sub sql { return $node->safe_psql('postgres', @_) }

sub enqueue_as
{
	my ($user, $type, $count) = @_;
	return sql(qq{SELECT enqueue_agent('$type', '{"prompt": "Hello"}', user_id => '$user') FROM generate_series(1, $count)});
}

sub outcomes
{
	my ($user) = @_;
	return sql(qq{SELECT string_agg(status || coalesce(':' || error_code, '') || '=' || n, ' ' ORDER BY status, error_code)
		FROM (SELECT status, error_code, count(*) AS n FROM agent_queue WHERE user_id = '$user' GROUP BY 1, 2) AS c});
}

sub spent
{
	my ($user) = @_;
	return sql("SELECT coalesce(sum(cost_usd), 0) FROM api_usage WHERE user_id = '$user'");
}

is(sql('SELECT count(*) FROM check_budgets()'), 0, 'no budget is exceeded at first');

# ---- refuse

my $user = new_user(daily_cost_usd => 0.03);
enqueue_as($user, 'paid', 1);
ok(jobs_done($node, 'postgres'), 'a job within the budget runs');
is(spent($user), '0.0081', 'and costs what its tokens cost');
# What it may cost at worst: the bytes of the request at $0.0001, 10 tokens at $0.001.
my $hold = sql(q{SELECT (octet_length('{"prompt": "Hello"}') + octet_length('{}')) * 0.0001 + 10 * 0.001});
note "a job may cost \$$hold";
enqueue_as($user, 'paid', 20);
ok(jobs_done($node, 'postgres'), 'jobs over the budget end');
my $spent = spent($user);
cmp_ok($spent, '<=', 0.03, "no more than the budget was spent: $spent");
cmp_ok($spent, '>', 0.01, 'and not much less: another would have fit else');
like(outcomes($user), qr/^completed=3 failed:budget_exceeded=18$/, 'the others were refused: ' . outcomes($user));
is(sql('SELECT count(*) FROM check_budgets()'), 0, 'the budget is kept');
my ($status, undef, $error) = $node->psql('postgres',
	qq{\\set VERBOSITY verbose\nSELECT enqueue_agent('paid', '{"prompt": "Hello"}', user_id => '$user')});
like($error, qr/PT402: .*your budget of the day does not suffice/, 'then it is refused at the enqueue');
like($error, qr/"limit_usd":"0.03".*"period":"day".*"retry_after_seconds":\d+,"scope":"user","spent_usd":"0.0243"/, 'with the figures');

like($node->safe_psql('postgres', 'SELECT jsonb_agg(to_jsonb(a) - $$id$$ - $$created_at$$ - $$window_start$$ ORDER BY id) FROM agent_alerts AS a'),
	qr/"period": "day".*"audience": "user".*"threshold_percent": 100/, 'one alert for the user');

# ---- no price under a hard budget

my ($code, $out, $err) = $node->psql('postgres',
	qq{\\set VERBOSITY verbose\nSELECT enqueue_agent('unpriced', '{"prompt": "Hello"}', user_id => '$user')});
like($err, qr/PT402: .*no price is known/, 'a job whose price is unknown is refused under a hard budget');

# ---- raised meanwhile

sql("UPDATE agent_users SET daily_cost_usd = 1 WHERE user_id = '$user'");
enqueue_as($user, 'paid', 1);
ok(jobs_done($node, 'postgres'), 'a raised budget holds at once');
is(spent($user), '0.0324', 'and more is spent');

# ---- park

$user = new_user(daily_cost_usd => 0.02, on_limit => q{'park'});
sql(qq{SELECT enqueue_agent('paid', '{"prompt": "Hello"}', user_id => '$user', expires_in => '5 min') FROM generate_series(1, 3)});
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 2 FROM agent_queue WHERE user_id = '$user' AND status = 'scheduled' AND wait_reason = 'budget'"),
	'jobs over a budget that parks wait')
  or diag outcomes($user);
is(sql(qq{SELECT bool_and(run_at = (date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC'
		AND expires_at BETWEEN run_at + interval '290 s' AND run_at + interval '5 min') FROM agent_queue WHERE user_id = '$user' AND status = 'scheduled'}),
	't', 'until the next day, and their expiry moves along');

# ---- throttle: one at a time

$user = new_user(daily_cost_usd => 0, on_limit => q{'throttle'});
reset_calls();
enqueue_as($user, 'slow', 4);
ok(jobs_done($node, 'postgres', qq{user_id = '$user'}), 'throttled jobs end');
my @at = sort { $a <=> $b } map { $_->{at} } calls_of('/delay/300');
is(scalar @at, 4, 'each was called');
is(scalar(grep { $at[$_] - $at[ $_ - 1 ] < 0.3 } 1 .. $#at), 0, 'one at a time');

# ---- alert: they go on, and it is told of

$user = new_user(daily_cost_usd => 0.01, on_limit => q{'alert'});
enqueue_as($user, 'paid', 3);
ok(jobs_done($node, 'postgres', qq{user_id = '$user'}), 'jobs over a budget that only alerts end');
is(outcomes($user), 'completed=3', 'with an answer');
ok($node->poll_query_until('postgres',
		qq{SELECT string_agg(period || threshold_percent, ' ' ORDER BY id) IN ('day100', 'day80 day100')
		   FROM agent_alerts WHERE user_id = '$user'}), 'and alerts tell of it, once each')
  or diag sql(qq{SELECT string_agg(period || threshold_percent, ' ' ORDER BY id) FROM agent_alerts WHERE user_id = '$user'});

# ---- concurrency of a user

$user = new_user(concurrency => 2);
reset_calls();
enqueue_as($user, 'slow', 7);
ok(jobs_done($node, 'postgres', qq{user_id = '$user'}), 'jobs of a user with a bound end');
@at = sort { $a <=> $b } map { $_->{at} } calls_of('/delay/300');
is(scalar @at, 7, 'each was called once');
is(scalar(grep { $at[$_] - $at[ $_ - 2 ] < 0.3 } 2 .. $#at), 0, 'two at a time, never three');
cmp_ok($at[-1] - $at[0], '<', 2.5, 'and not much later than they could');

# Parked and promoted over and over by both workers: no job is left lying.
$user = new_user(concurrency => 1);
enqueue_as($user, 'paid', 60);
ok(jobs_done($node, 'postgres', qq{user_id = '$user'}), 'sixty jobs that wait for each other all end');

# ---- the price changes and the user is removed while the job runs

$user = new_user(daily_cost_usd => 1);
enqueue_as($user, 'gated', 1);
wait_in_flight($node, 'postgres', 1);
sql(q{UPDATE agent_models SET input_usd_per_mtok = 100000 WHERE provider = 'gated'});
sql("DELETE FROM agent_users WHERE user_id = '$user'");
open_gate('budget');
ok(jobs_done($node, 'postgres', qq{user_id = '$user'}), 'a job whose user is removed meanwhile ends');
is(spent($user), '0.0081', 'at the price that held when it began');
is(sql('SELECT count(*) FROM agent_queue WHERE hold_usd IS NOT NULL') . sql('SELECT count(*) FROM check_budgets()'), '00',
	'nothing stays held, nothing is exceeded');

# ---- zero overshoot: 64 clients, two workers, a cap of $0.45 for all, a worker killed meanwhile, again and again

my $before = sql(q{SELECT coalesce(sum(cost_usd), 0) FROM api_usage WHERE agent_type = 'paid'});
sql("INSERT INTO agent_budgets (scope, name, daily_cost_usd) VALUES ('agent_type', 'paid', $before + 0.45)");
my $script = $node->basedir . '/cap.sql';
append_to_file($script, "\\set n random(1, 16)\n" . <<~'SQL');
	SELECT enqueue_agent('paid', '{"prompt": "Hello"}',
	                     user_id => ('00000000-0000-0000-0000-00000031cc' || lpad(to_hex(:n), 2, '0'))::uuid);
	SQL
sql(q{INSERT INTO agent_users (user_id, tier)
	SELECT ('00000000-0000-0000-0000-00000031cc' || lpad(to_hex(n), 2, '0'))::uuid, 'member' FROM generate_series(1, 16) AS n});
my $exceeded = 0;
foreach my $round (1 .. 3)
{
	my $load = IPC::Run::start(
		[ 'pgbench', '-n', '-c', '64', '-j', '2', '-t', '10', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', \my $stdout, '2>', \my $stderr);
	foreach (1 .. 20)
	{
		my $found = sql(q{SELECT string_agg(scope || ' ' || name || ' ' || spent_usd || '+' || held_usd, ', ') FROM check_budgets()});
		next if $found eq '';
		$exceeded++;
		diag $found;
	}
	my $worker = sql('SELECT pid FROM agent_workers ORDER BY in_flight DESC LIMIT 1');
	kill 'KILL', $worker;
	$load->finish;
	$node->poll_query_until('postgres', "SELECT count(*) = 2 FROM agent_workers WHERE pid <> $worker") or die 'the server did not come back';
	my $found = sql(q{SELECT string_agg(scope || ' ' || name || ' ' || spent_usd || '+' || held_usd, ', ') FROM check_budgets()});
	$exceeded++ if $found ne '';
}
ok(jobs_done($node, 'postgres', q{wait_reason IS DISTINCT FROM 'budget'}), 'all jobs end');
is($exceeded, 0, 'at no time was more spent and held than the cap');
my $after = sql("SELECT sum(cost_usd) - $before FROM api_usage WHERE agent_type = 'paid'");
cmp_ok($after, '<=', 0.45, "the cap was kept: \$$after of \$0.45");
cmp_ok($after, '>=', 0.42, 'and used');
is(sql(q{SELECT count(*) FROM agent_queue WHERE hold_usd IS NOT NULL}), 0, 'no hold is left');
is(sql(q{SELECT string_agg(threshold_percent::text, ' ' ORDER BY threshold_percent) FROM agent_alerts WHERE scope = 'agent_type'}),
	'80 100', 'the administrator was told once each, through three crashes');

# ---- requests a day, through a restart

$user = new_user(daily_requests => 5);
is(sql(qq{SELECT count(*) FROM (SELECT enqueue_agent('echo', '{"text": "one"}', user_id => '$user') FROM generate_series(1, 3)) AS q}),
	3, 'three of five requests');
$node->psql('postgres', qq{BEGIN; SELECT enqueue_agent('echo', '{"text": "one"}', user_id => '$user'); ROLLBACK});
$node->psql('postgres', qq{BEGIN; SAVEPOINT s; SELECT enqueue_agent('echo', '{"text": "one"}', user_id => '$user'); ROLLBACK TO s; COMMIT});
$node->restart;
my $accepted = 0;
foreach (1 .. 6)
{
	$accepted++ if $node->psql('postgres', qq{SELECT enqueue_agent('echo', '{"text": "one"}', user_id => '$user')}) == 0;
}
is($accepted, 2, 'two more after the restart, and no more: what was rolled back did not count');
(undef, undef, $err) = $node->psql('postgres',
	qq{\\set VERBOSITY verbose\nSELECT enqueue_agent('echo', '{"text": "one"}', user_id => '$user')});
like($err, qr/PT429: .*no request left today/, 'then PT429');
like($err, qr/"limit":5,"retry_after_seconds":\d+,"used":5,"window_seconds":86400/, 'with the figures');

# ---- the same by 64 sessions, through a restart in the middle of the day: exactly 500 of 640

$user = new_user(daily_requests => 500);
sql(<<~'SQL');
	CREATE FUNCTION try_enqueue(who uuid) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM enqueue_agent('echo', '{"text": "one"}', user_id => who);
		RETURN true;
	EXCEPTION WHEN SQLSTATE 'PT429' THEN
		RETURN false;
	END
	$$;
	SQL
my $try = $node->basedir . '/try.sql';
append_to_file($try, "SELECT try_enqueue('$user');\n");
my @accepted;
foreach my $half (1, 2)
{
	run_log([ 'pgbench', '-n', '-c', '64', '-j', '2', '-t', '5', '-f', $try, '-h', $node->host, '-p', $node->port, 'postgres' ])
	  or die 'pgbench failed';
	push @accepted, sql("SELECT count(*) FROM agent_queue WHERE user_id = '$user'");
	$node->restart if $half == 1;
}
is("@accepted", '320 500', 'as many as the day has, and not one more');

# ---- a tier that is not there

sql(qq{UPDATE agent_users SET tier = 'gone' WHERE user_id = '$user'});
(undef, undef, $err) = $node->psql('postgres',
	qq{\\set VERBOSITY verbose\nSELECT enqueue_agent('echo', '{"text": "one"}', user_id => '$user')});
like($err, qr/42704: .*tier "gone" of the user does not exist/, 'a tier that does not exist is named');

finish($node, is_killed => 1,
	allow => [ qr/budget of the day does not suffice|no price is known|no request left today|tier "gone"|terminating connection/ ]);
done_testing();
