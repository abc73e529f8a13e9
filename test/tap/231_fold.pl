# Usage is folded into its roll-up exactly once, whatever commits late, dies or is dropped meanwhile, and the views always
# say what the rows say. Upkeep looks every 200 ms here, so that the tests can wait for what it does.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('fold', conf => "agent_queue.upkeep_interval = 200ms\nlog_min_messages = debug1\nrestart_after_crash = on\n");

sub psql { return $node->safe_psql('postgres', $_[0]) }
sub becomes { return $node->poll_query_until('postgres', $_[0]) }

# One row of usage, as SQL.
my $number = 0;
sub usage
{
	my ($at, %options) = @_;
	++$number;
	my $user = $options{user} ? "'00000000-0000-0000-0000-0000000000$options{user}'" : 'NULL';
	return "INSERT INTO api_usage (queue_id, attempt, user_id, agent_type, provider, model, tokens_used, cost_usd, created_at) "
	  . "VALUES (-$number, 1, $user, 'by_hand', 'p', 'm', 10, 0.25, '$at');";
}

# The rows themselves, added up in the way of daily_costs; and where it or the roll-up says something else.
my $of_rows = q{
	SELECT (created_at AT TIME ZONE 'UTC')::date AS day, user_id, agent_type, provider, model, count(*) FILTER (WHERE part = 1),
	       count(*) FILTER (WHERE part = 1 AND cached), count(*) FILTER (WHERE part = 1 AND estimated),
	       count(*) FILTER (WHERE part = 1 AND cost_usd IS NULL), coalesce(sum(tokens_used), 0), coalesce(sum(input_tokens), 0),
	       coalesce(sum(cache_read_tokens), 0), coalesce(sum(cache_write_tokens), 0), coalesce(sum(output_tokens), 0),
	       coalesce(sum(reasoning_tokens), 0), sum(cost_usd), coalesce(sum(saved_usd), 0)
	FROM api_usage GROUP BY 1, 2, 3, 4, 5};

sub differences
{
	my ($relation) = @_;
	return psql("(($of_rows) EXCEPT TABLE $relation) UNION ALL (TABLE $relation EXCEPT ($of_rows))");
}

sub all_is_folded
{
	my ($what) = @_;
	ok(becomes('SELECT agent_queue_folded_to() >= max(id) FROM api_usage'), "$what: all is folded");
	is(differences('api_usage_rollup'), '', "$what: the roll-up is what the rows say");
	is(differences('daily_costs'), '', "$what: and so is the view");
	return;
}

# Returns when the fold has said twice that it waits for a transaction.
sub wait_until_fold_waits
{
	my $said = sub { scalar(() = slurp_file($node->logfile) =~ /is folded when \d+ transactions have ended/g) };
	my $before = $said->();
	foreach (1 .. 400)
	{
		return if $said->() >= $before + 2;
		psql('SELECT pg_sleep(0.1)');
	}
	die 'the fold does not wait';
}

# ---- jobs

enqueue($node, 'postgres', 'echo', count => 300);
enqueue($node, 'postgres', 'echo', count => 200, user_id => q{'00000000-0000-0000-0000-0000000000a1'});
ok(jobs_done($node, 'postgres'), 'jobs are done');
is(differences('daily_costs'), '', 'the view has them at once');
is(psql(q{SELECT sum(total_requests) FROM user_costs}), 500, 'so has user_costs');
all_is_folded('jobs');

# ---- all kinds of rows; and the same attempt a second time

psql(q{
	INSERT INTO api_usage (queue_id, attempt, part, user_id, agent_type, provider, model, tokens_used, input_tokens, cache_read_tokens,
	                       cache_write_tokens, output_tokens, reasoning_tokens, cost_usd, saved_usd, cached, estimated, created_at)
	SELECT -1000000 - n, 1 + n % 3, 1 + n % 2, CASE n % 3 WHEN 0 THEN NULL ELSE md5((n % 3)::text)::uuid END,
	       CASE n % 5 WHEN 0 THEN NULL ELSE 'type' || n % 2 END, 'p', 'm' || n % 4, n, n / 2, n % 7, n % 5, n / 3, n % 3,
	       CASE n % 4 WHEN 1 THEN NULL ELSE n * 0.000001 END, CASE n % 6 WHEN 0 THEN 0.5 END, n % 6 = 0, n % 11 = 0,
	       timestamptz '2021-03-05 22:00Z' + n * interval '1 s'
	FROM generate_series(1, 20000) AS n});
is(differences('daily_costs'), '', 'each kind of row is seen at once');
all_is_folded('rows of each kind');
my $columns = psql(q{SELECT string_agg(attname, ', ') FROM pg_attribute
	WHERE attrelid = 'api_usage'::regclass AND attnum > 0 AND attname <> 'id'});
psql("INSERT INTO api_usage ($columns) SELECT $columns FROM api_usage ON CONFLICT DO NOTHING");
is(psql('SELECT count(*) FROM api_usage'), 20500, 'what was accounted is not accounted again');
ok(becomes('SELECT agent_queue_folded_to() = pg_sequence_last_value($$api_usage_id_seq$$)'), 'ids that came to nothing are passed');
all_is_folded('again');

# The planner knows how little is not folded, also for a user: the rows that are folded are not read again.
psql(q{ANALYZE api_usage_default; CREATE ROLE app; SELECT grant_agent_access('app')});
like(psql(q{
	SET ROLE app;
	SET agent_queue.user_id = '00000000-0000-0000-0000-0000000000a1';
	EXPLAIN SELECT * FROM user_costs WHERE date BETWEEN '2021-03-01' AND '2021-03-31'}),
	qr/Index Scan using api_usage_default_id on api_usage_default \w+  \(cost=\S+ rows=1 /, 'the view goes by the index on id');

# ---- the fold waits for who may still commit, and the view does not

my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN;' . usage('2021-04-01Z', user => 'b1'));
my $open = psql('SELECT pg_sequence_last_value($$api_usage_id_seq$$)');
psql(usage('2021-04-01Z', user => 'b1') . usage('2021-04-01Z', user => 'b2'));
wait_until_fold_waits();
cmp_ok(psql('SELECT agent_queue_folded_to()'), '<', $open, 'a row that is not committed yet is not passed');
is(differences('daily_costs'), '', 'what was committed behind it is seen');
$session->query_safe('COMMIT');
is(psql(q{SELECT total_cost FROM user_costs WHERE user_id = '00000000-0000-0000-0000-0000000000b1'}), '0.50', 'so is the late one');
all_is_folded('a late commit');

$session->query_safe('BEGIN;' . usage('2021-04-01Z') . 'SAVEPOINT a;' . usage('2021-04-01Z') . 'ROLLBACK TO a');
psql(usage('2021-04-02Z'));
wait_until_fold_waits();
$session->query_safe('ROLLBACK');
all_is_folded('a late rollback');

psql('BEGIN;' . usage('2021-04-03Z', user => 'b1') . q{PREPARE TRANSACTION 'late'});
psql(usage('2021-04-03Z', user => 'b1'));
wait_until_fold_waits();
psql(q{COMMIT PREPARED 'late'});
all_is_folded('a prepared transaction');

# An id is drawn, and nothing is written yet: the transaction must be known to be there.
psql(q{
	CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$;
	CREATE TRIGGER hold_back BEFORE INSERT ON api_usage_default FOR EACH ROW WHEN (NEW.model = 'held') EXECUTE FUNCTION hold_back()});
$session->query_safe('SELECT pg_advisory_lock(1)');
my $held = $node->background_psql('postgres');
$held->query_until(qr/sent/, "\\echo sent\n" . (usage('2021-04-04Z') =~ s/'m'/'held'/r) . "\n\\echo inserted\n");
ok(becomes(q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}), 'a row is held back before it is written');
$open = psql('SELECT pg_sequence_last_value($$api_usage_id_seq$$)');
psql(usage('2021-04-04Z'));
wait_until_fold_waits();
cmp_ok(psql('SELECT agent_queue_folded_to()'), '<', $open, 'its id is not passed');
$session->query_safe('SELECT pg_advisory_unlock(1)');
ok(becomes(q{SELECT count(*) = 1 FROM api_usage WHERE model = 'held'}), 'it is written');
all_is_folded('a row that was held back');
$held->quit;
psql('DROP TRIGGER hold_back ON api_usage_default');

# A restore brings ids along that are drawn already, into a partition itself.
psql(q{CREATE TABLE api_usage_202105 PARTITION OF api_usage FOR VALUES FROM ('2021-05-10Z') TO ('2021-06-01Z')});
my ($late) = psql(q{SELECT nextval('api_usage_id_seq')});
$session->query_safe(qq{BEGIN; INSERT INTO api_usage_202105 (id, queue_id, attempt, agent_type, cost_usd, created_at)
	VALUES ($late, -1, 1, 'by_hand', 1, '2021-05-15Z')});
psql(usage('2021-04-04Z'));
wait_until_fold_waits();
cmp_ok(psql('SELECT agent_queue_folded_to()'), '<', $late, 'the id of a row that is loaded is not passed');
$session->query_safe('COMMIT');
all_is_folded('a row that was loaded');

# Who writes something else holds up nothing, and neither does who reads.
$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE TABLE other (); SELECT count(*) FROM user_costs');
psql(usage('2021-04-05Z'));
all_is_folded('beside other transactions');
$session->query_safe('ROLLBACK');

# ---- retention drops what is folded, and the money stays

psql(q{CREATE TABLE api_usage_202001 PARTITION OF api_usage FOR VALUES FROM ('2020-01-01Z') TO ('2020-02-01Z')});
$session->query_safe(q{BEGIN; SELECT nextval('api_usage_id_seq')});
psql(usage('2020-01-15Z', user => 'c1') . usage('2019-12-15Z', user => 'c1') . usage('2019-12-16Z', user => 'c1'));
set_and_reload($node, 'agent_queue.keep_usage_months' => 12);
wait_until_fold_waits();
is(psql(q{SELECT count(*) FROM api_usage WHERE user_id = '00000000-0000-0000-0000-0000000000c1'}), 3, 'what is not folded is kept');
$session->query_safe('COMMIT');
ok(becomes(q{SELECT to_regclass('api_usage_202001') IS NULL}), 'the partition is dropped when it is folded');
ok(becomes(q{SELECT count(*) = 0 FROM api_usage WHERE agent_type = 'by_hand'}), 'old rows of the default partition go as well');
set_and_reload($node, 'agent_queue.keep_usage_months' => undef);
is(psql(q{SELECT string_agg(date || ': ' || total_cost, ', ' ORDER BY date) FROM user_costs
	WHERE user_id = '00000000-0000-0000-0000-0000000000c1'}), '2019-12-15: 0.25, 2019-12-16: 0.25, 2020-01-15: 0.25', 'the money stays');
is(psql(q{SELECT sum(total_requests) FROM costs_by_day WHERE day = '2021-03-05'}), 3599, 'of each row');

# Rows that are put back with their ids are not counted a second time.
psql(q{INSERT INTO api_usage (id, queue_id, attempt, agent_type, cost_usd, created_at) VALUES (1, -77, 1, 'put back', 5, '2019-12-15Z')});
is(psql(q{SELECT count(*) FROM daily_costs WHERE agent_type = 'put back'}), 0, 'a row that was folded before it was archived is not counted');
psql(q{DELETE FROM api_usage WHERE agent_type = 'put back'});

# ---- an id that a session has put by could come after those behind it

psql('ALTER SEQUENCE api_usage_id_seq CACHE 10');
psql(usage('2021-05-01Z'));
ok($node->wait_for_log(qr/upkeep has to wait: usage is not folded while the sequence api_usage_id_seq has a CACHE/, 0),
	'a cache in the sequence is complained of');
ok(psql('SELECT agent_queue_folded_to() < max(id) FROM api_usage') eq 't', 'and nothing is folded');
psql('ALTER SEQUENCE api_usage_id_seq CACHE 1');
ok(becomes('SELECT agent_queue_folded_to() >= max(id) FROM api_usage'), 'until it is gone');

# ---- the day is that of the budgets

set_and_reload($node, 'agent_queue.budget_time_zone' => 'Pacific/Kiritimati');
$session->query_safe(q{BEGIN; SELECT nextval('api_usage_id_seq')});
my $day = q{SELECT string_agg(date::text, ' ') FROM user_costs WHERE user_id = '00000000-0000-0000-0000-0000000000d1'};
ok(becomes(q{SELECT current_setting('agent_queue.budget_time_zone') = 'Pacific/Kiritimati'}), 'the zone has changed');
psql(usage('2020-12-31 12:00Z', user => 'd1'));
is(psql($day), '2021-01-01', 'before it is folded');
$session->query_safe('COMMIT');
ok(becomes('SELECT agent_queue_folded_to() >= max(id) FROM api_usage'), 'folded');
is(psql($day), '2021-01-01', 'and afterwards');
set_and_reload($node, 'agent_queue.budget_time_zone' => undef);
ok(becomes(q{SELECT current_setting('agent_queue.budget_time_zone') = 'UTC'}), 'the zone is back');
$session->quit;

# ---- the worker is killed while it settles and folds

psql(q{
	TRUNCATE api_usage, api_usage_rollup, agent_queue;
	CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END $$;
	CREATE TRIGGER slow AFTER INSERT ON api_usage_rollup FOR EACH STATEMENT EXECUTE FUNCTION slow()});
foreach my $round (1 .. 3)
{
	my $from = psql('SELECT agent_queue_folded_to()');
	enqueue($node, 'postgres', 'echo', count => 6000, user_id => q{'00000000-0000-0000-0000-0000000000e1'});
	ok(becomes("SELECT agent_queue_folded_to() > $from AND agent_queue_folded_to() < pg_sequence_last_value('api_usage_id_seq')"),
		"round $round: folding is under way");
	my $worker = psql('SELECT pid FROM agent_workers');
	kill 9, $worker;
	ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM agent_workers WHERE started_at IS NOT NULL AND pid <> $worker"),
		'the worker comes back');
	is(differences('daily_costs'), '', 'the view is right all the while');
}
psql('DROP TRIGGER slow ON api_usage_rollup');
ok(jobs_done($node, 'postgres'), 'all jobs are done');
is(psql(q{SELECT count(*) FROM agent_queue AS q WHERE status = 'completed'
	AND (SELECT count(*) FROM api_usage AS u WHERE u.queue_id = q.id AND NOT u.estimated) = 1}), 18000, 'each is accounted once');
all_is_folded('after kill -9');

psql('DROP EXTENSION agent_queue');
is(psql(q{SELECT count(*) FROM pg_class WHERE relname LIKE 'api_usage%'}), 0, 'the partitions go with the extension');

finish($node, is_killed => 1, allow => [qr/upkeep has to wait: usage is not folded while the sequence/]);

done_testing();
