# The rate limiter under many sessions at once, through rollbacks, killed sessions and restarts, over two databases, and
# with its memory full. The rules themselves are in sql/rate_limits.sql.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;

use constant {
	SESSIONS => 64,
	TRIES => 40,       # of each session
	EXACT => 500,      # a limit whose times are kept one by one
	SLICED => 1500,    # and one that is counted in slices
};

my $node = new_cluster('rate_limits', conf => "max_connections = 100\nagent_queue.start_paused = on\n");
my $folder = PostgreSQL::Test::Utils::tempdir();

sub psql { return $node->safe_psql('postgres', @_) }

# One user for all sessions: they want the same window.
my $USER = '00000000-0000-0000-0000-000000000301';
psql(<<~SQL);
	INSERT INTO agent_tiers (name) VALUES ('crowd');
	INSERT INTO agent_users (user_id, tier) VALUES ('$USER', 'crowd');
	INSERT INTO agent_limits (tier, endpoint, max_requests, window_seconds) VALUES
		('crowd', 'exact', @{[EXACT]}, 3600), ('crowd', 'sliced', @{[SLICED]}, 3600);
	INSERT INTO agent_types (name, endpoint, expires_in) VALUES ('exact', NULL, NULL), ('sliced', NULL, NULL);
	CREATE TABLE accepted (endpoint text);
	CREATE FUNCTION take(endpoint text) RETURNS int LANGUAGE plpgsql AS \$\$
	BEGIN
		INSERT INTO agent_queue (user_id, agent_type, request_data) VALUES ('$USER', endpoint, '{"text": "x"}');
		RETURN 1;
	EXCEPTION WHEN SQLSTATE 'PT429' THEN
		RETURN 0;
	END
	\$\$;
	SQL

# Runs the script in all sessions at once.
sub crowd
{
	my ($name, $script) = @_;
	append_to_file("$folder/$name.sql", $script);
	$node->command_ok(
		[ 'pgbench', '-n', '-c', SESSIONS, '-j', 4, '-t', TRIES, '-f', "$folder/$name.sql", $node->connstr('postgres') ],
		"$name: " . SESSIONS . ' sessions');
	return;
}

sub used
{
	my ($namespace, $endpoint) = @_;
	return psql("SELECT coalesce(sum(used), 0) FROM rate_limits WHERE namespace = '$namespace' AND endpoint = '$endpoint'");
}

# ---- exactly as many as the limit, of many more

foreach my $case (['exact', EXACT], ['sliced', SLICED])
{
	my ($endpoint, $limit) = @$case;
	crowd("checks_$endpoint", <<~SQL);
		SELECT check_rate_limit('$USER', '$endpoint')::int AS ok \\gset
		\\if :ok
		INSERT INTO accepted VALUES ('$endpoint');
		\\endif
		SQL
	is(psql("SELECT count(*) FROM accepted WHERE endpoint = '$endpoint'"), $limit, "$endpoint: as many checks as the limit");
	is(used('checks', $endpoint), $limit, '… are counted');
	is(used('jobs', $endpoint), 0, '… and no job');

	crowd("jobs_$endpoint", "SELECT take('$endpoint');\n");
	is(psql("SELECT count(*) FROM agent_queue WHERE agent_type = '$endpoint'"), $limit, "$endpoint: as many jobs as the limit");
	is(used('jobs', $endpoint), $limit, '… are counted');
}
psql('TRUNCATE accepted; TRUNCATE agent_queue');

# ---- with rollbacks: what was given back is accepted again, and nothing else

$node->restart;
is(used('jobs', 'exact'), 0, 'windows start empty with the server');
foreach my $endpoint ('exact', 'sliced')
{
	crowd("aborts_$endpoint", <<~SQL);
		\\set aborts random(0, 2)
		BEGIN;
		SELECT take('$endpoint') AS ok \\gset
		SAVEPOINT one;
		SELECT take('$endpoint');
		SELECT check_rate_limit('$USER', '$endpoint')::int;
		ROLLBACK TO one;
		SELECT check_rate_limit('$USER', '$endpoint')::int AS checked \\gset
		\\if :checked
		INSERT INTO accepted VALUES ('$endpoint');
		\\endif
		\\if :aborts = 0
		COMMIT;
		\\else
		ROLLBACK;
		\\endif
		SQL
	my $jobs = psql("SELECT count(*) FROM agent_queue WHERE agent_type = '$endpoint'");
	my $checks = psql("SELECT count(*) FROM accepted WHERE endpoint = '$endpoint'");
	my $limit = $endpoint eq 'exact' ? EXACT : SLICED;
	cmp_ok($jobs, '<=', $limit, "$endpoint: never more jobs than the limit");
	cmp_ok($jobs, '>', 0, '… and some');
	is(used('jobs', $endpoint), $jobs, 'what counts is what was committed');
	cmp_ok($checks, '<=', $limit, 'never more checks than the limit');
	is(used('checks', $endpoint), $checks, '… and those that were committed count');
	is(psql("SELECT sum(take('$endpoint')) FROM generate_series(1, 3000)"), $limit - $jobs, 'the rest is accepted later');
}

# ---- a session that is killed gives back; a prepared transaction does not

psql(q{INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('crowd', 'held', 3)});
my $session = { in => '', out => '' };
$session->{handle} = IPC::Run::start([ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres') ],
	'<', \$session->{in}, '>', \$session->{out}, '2>', '/dev/null', IPC::Run::timeout(60));
$session->{in} .= "BEGIN; SELECT check_rate_limit('$USER', 'held') FROM generate_series(1, 3); SELECT pg_backend_pid();\n";
$session->{handle}->pump until $session->{out} =~ /^(\d+)$/m;
my ($pid) = $session->{out} =~ /^(\d+)$/m;
is(psql("SELECT check_rate_limit('$USER', 'held')"), 'f', 'what an open transaction has taken is taken');
psql("SELECT pg_terminate_backend($pid)");
$session->{handle}->finish;
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM rate_limits WHERE endpoint = 'held' AND used > 0}),
	'… until its session is ended');
psql("BEGIN; SELECT check_rate_limit('$USER', 'held'); PREPARE TRANSACTION 'held'");
psql("ROLLBACK PREPARED 'held'");
is(used('checks', 'held'), 1, 'a prepared transaction keeps what it has charged');

# ---- two databases, one user

psql('CREATE DATABASE second');
$node->safe_psql('second', 'CREATE EXTENSION agent_queue');
is($node->safe_psql('second', "SELECT count(*) FILTER (WHERE check_rate_limit('$USER', 'held', 3)) FROM generate_series(1, 5)"),
	3, 'the same user of another database is another one');
is(used('checks', 'held'), 1, '… and is not seen here');
is($node->safe_psql('second', 'SELECT count(*) FROM rate_limits'), 1, '… nor this one there');

# ---- a crash: the windows are empty, as after a restart

$node->stop('immediate');
$node->start;
is(used('jobs', 'sliced'), 0, 'windows start empty after a crash');

# ---- the memory is full: no wrong yes, and room as soon as windows have run out

$node->append_conf('postgresql.conf', "agent_queue.rate_limit_memory = 1MB\n");
$node->restart;
psql(q{UPDATE agent_tiers SET unlimited = false WHERE name = 'free';
	INSERT INTO agent_limits (tier, endpoint, max_requests, window_seconds) VALUES ('free', 'brief', 2, 1), ('free', 'long', 2, 3600)});
is(psql("SELECT count(*) FILTER (WHERE check_rate_limit('$USER', 'exact')) FROM generate_series(1, 600)"), EXACT, 'a user at the limit');
psql(<<~'SQL');
	CREATE FUNCTION fill(endpoint text, tries int, OUT accepted int, OUT states text) LANGUAGE plpgsql AS $$
	DECLARE
		state text;
	BEGIN
		accepted := 0;
		FOR i IN 1 .. tries LOOP
			BEGIN
				accepted := accepted + check_rate_limit(gen_random_uuid(), endpoint)::int;
			EXCEPTION WHEN OTHERS THEN
				state := concat_ws(' ', state, CASE WHEN state IS NULL OR state NOT LIKE '%' || SQLSTATE || '%' THEN SQLSTATE END);
			END;
		END LOOP;
		states := state;
	END
	$$;
	SQL
my ($accepted, $states) = split /\|/, psql(q{SELECT * FROM fill('brief', 8000)});
cmp_ok($accepted, '>', 2000, 'thousands of windows fit into 1 MB');
my ($out, $err);
ok($node->poll_query_until('postgres', q{SELECT accepted = 50 FROM fill('brief', 50)}), 'windows that have run out make room');
($accepted, $states) = split /\|/, psql(q{SELECT * FROM fill('long', 8000)});
is($states, 'PT503', 'without room nothing is accepted');
is(psql("SELECT check_rate_limit('$USER', 'exact')"), 'f', 'who is at the limit stays there');
is(psql("SELECT used FROM rate_limits WHERE user_id = '$USER'"), EXACT, '… with all that counts');
my $some = psql(q{SELECT user_id FROM rate_limits WHERE endpoint = 'long' LIMIT 1});
is(psql("SELECT check_rate_limit('$some', 'long'), check_rate_limit('$some', 'long')"), 't|f', 'who has a window is served by it');
$node->psql('postgres', q{SELECT count(check_rate_limit(gen_random_uuid(), 'long')) FROM generate_series(1, 1000)}, stderr => \$err);
like($err, qr/no memory is left for rate limits/, 'the error says what is the matter');
like($err, qr/HINT:  Raise agent_queue.rate_limit_memory/, '… and what to do');

# ---- a memory so large that one call looks at a part of it: what has run out is found everywhere

$node->append_conf('postgresql.conf', "agent_queue.rate_limit_memory = 64MB\n");
$node->restart;
psql(q{INSERT INTO agent_limits (tier, endpoint, max_requests, window_seconds) VALUES
	('free', 'wide', 1000, 1), ('free', 'wide and long', 1000, 3600)});
psql(q{SELECT fill('wide', 8000)});
ok($node->poll_query_until('postgres', q{
	SELECT count(*) >= 4000 FROM fill('wide and long', 2000), rate_limits WHERE endpoint = 'wide and long'}),
	'windows of 16 kB take all of 64 MB from those that have run out');

finish($node,
	allow => [ qr/no memory is left for rate limits/, qr/terminating connection due to administrator command/ ]);
done_testing();
