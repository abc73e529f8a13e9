# Upkeep by the worker: what retention deletes and what it leaves, what is in its way, jobs that expire where no claim
# comes by, partitions of api_usage. A pass is every 200 ms here, so that the tests can wait for what it does.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('upkeep', conf => "agent_queue.upkeep_interval = 200ms\nlog_min_messages = debug1\nrestart_after_crash = on\n");

sub psql { return $node->safe_psql('postgres', $_[0]) }
sub becomes { return $node->poll_query_until('postgres', $_[0]) }

# $count finished jobs that look as if they had run here, the oldest first: the last one ended $age ago, each of the
# others a second before the next.
sub finished_jobs
{
	my ($queue, $status, $count, $age) = @_;
	psql(<<~SQL);
		INSERT INTO agent_queue (agent_type, queue, request_data, status, result, error_code, created_at, completed_at)
		SELECT 'echo', '$queue', jsonb_build_object('text', 'number ' || n), '$status', '{}',
		       CASE '$status' WHEN 'failed' THEN 'provider_error' END, now() - interval '50 years',
		       now() - interval '$age' - ($count - n) * interval '1 s'
		FROM generate_series(1, $count) AS n;
		UPDATE agent_queue SET claim_key = 0 WHERE claim_key IS NULL
		SQL
	return;
}

# The texts of the finished jobs of a queue.
sub kept
{
	my ($queue, $status) = @_;
	return psql(<<~SQL);
		SELECT string_agg(replace(request_data ->> 'text', 'number ', ''), ' ' ORDER BY id)
		FROM agent_queue WHERE queue = '$queue' AND status = '$status'
		SQL
}

# Passes of retention that were over in the log so far, and the wait for another whole one.
sub passes { return scalar(() = slurp_file($node->logfile) =~ /retention deleted \d+ finished jobs/g) }

sub wait_for_pass
{
	my $before = passes();
	foreach (1 .. 400)
	{
		return if passes() >= $before + 2;
		psql('SELECT pg_sleep(0.1)');
	}
	die 'there is no pass of retention';
}

# ---- history of somewhere else stays until it is adopted

psql(q{
	INSERT INTO agent_queue (agent_type, queue, request_data, status, result, completed_at)
	SELECT 'echo', 'agents', '{"text": "restored"}', 'completed', '{}', now() - n * interval '10 days'
	FROM generate_series(0, 20) AS n});
wait_for_pass();
is(psql('SELECT count(*) FROM agent_queue'), 21, 'restored jobs stay');
psql('SELECT adopt_jobs()');
ok(becomes('SELECT count(*) = 1 FROM agent_queue'), 'after adopt_jobs() they are kept as long as those that ran here');
psql('DELETE FROM agent_queue; UPDATE agent_queue_origin SET is_history_adopted = false');

# ---- age and numbers, by queue

psql(q{
	INSERT INTO agent_queues (name, keep_completed, keep_failed, keep_for)
	VALUES ('by_number', 3, 2, NULL), ('by_age', NULL, NULL, '1 hour'), ('both', 5, 0, '1 hour'), ('forever', NULL, NULL, NULL)});
foreach my $queue ('by_number', 'by_age', 'both', 'forever', 'nowhere')
{
	finished_jobs($queue, 'completed', 4, '10 years');
	finished_jobs($queue, 'completed', 6, '1 minute');
	finished_jobs($queue, 'failed', 3, '2 minutes');
}
ok(becomes(q{SELECT count(*) = 5 + 9 + 5 + 13 + 13 FROM agent_queue}), 'what is too old or too much goes');
wait_for_pass();
is(kept('by_number', 'completed'), '4 5 6', 'the newest completed jobs are kept');
is(kept('by_number', 'failed'), '2 3', 'the newest failed jobs are kept');
is(kept('by_age', 'completed'), '1 2 3 4 5 6', 'the young ones are kept');
is(kept('both', 'completed'), '2 3 4 5 6', 'both rules hold');
is(kept('both', 'failed'), '', 'none is kept where none is to be kept');
is(kept('forever', 'completed'), '1 2 3 4 1 2 3 4 5 6', 'NULL keeps for ever');
is(kept('nowhere', 'failed'), '1 2 3', 'a queue that has no row keeps everything');
like(slurp_file($node->logfile), qr/LOG:  agent_queue: retention deleted \d+ finished jobs in/, 'a pass that deleted says so');

# ---- waiting and running jobs are no history

psql(q{
	UPDATE agent_queues SET paused = true, keep_completed = 0, keep_failed = 0, keep_for = '0' WHERE name = 'reports';
	SELECT enqueue_agent('echo', '{"text": "a"}', queue => 'reports', expires_in => '1 day');
	SELECT enqueue_agent('echo', '{"text": "b"}', queue => 'reports', expires_in => '1 day', delay => '1 day')});
wait_for_pass();
is(psql(q{SELECT count(*) FROM agent_queue WHERE queue = 'reports'}), 2, 'jobs that are not finished stay');
psql(q{UPDATE agent_queues SET paused = false WHERE name = 'reports'});
ok(becomes(q{SELECT count(*) = 1 FROM agent_queue WHERE queue = 'reports'}), 'a job goes after it has run');
psql('DELETE FROM agent_queue');

# ---- a change of the rules is noticed at once

set_and_reload($node, 'agent_queue.upkeep_interval' => '1h');
finished_jobs('forever', 'completed', 5, '1 minute');
psql(q{UPDATE agent_queues SET keep_completed = 2 WHERE name = 'forever'});
ok(becomes('SELECT count(*) = 2 FROM agent_queue'), 'a change of the rules begins a pass');
psql(q{UPDATE agent_queues SET keep_completed = NULL WHERE name = 'forever'; DELETE FROM agent_queue});
set_and_reload($node, 'agent_queue.upkeep_interval' => '200ms');

# ---- nothing of it while all is held

set_and_reload($node, 'agent_queue.start_paused' => 'on');
ok(becomes(q{SELECT state = 'paused' FROM agent_workers}), 'the worker is held');
my $delayed = psql(q{SELECT enqueue_agent('echo', '{"text": "later"}', delay => '1 s')});
finished_jobs('by_age', 'completed', 5, '1 day');
ok(becomes("SELECT status = 'pending' FROM agent_queue WHERE id = $delayed"), 'a second goes by');
is(kept('by_age', 'completed'), '1 2 3 4 5', 'start_paused holds retention, too');
set_and_reload($node, 'agent_queue.start_paused' => undef);
ok(becomes(q{SELECT count(*) = 0 FROM agent_queue WHERE queue = 'by_age'}), 'until it is off');
psql('DELETE FROM agent_queue');

# ---- rows that are in the way

finished_jobs('forever', 'completed', 30, '1 day');
my $session = $node->background_psql('postgres');
$session->query_safe(q{BEGIN; SELECT id FROM agent_queue WHERE request_data ->> 'text' = 'number 7' FOR UPDATE});
psql(q{
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'this one is not to be touched'; END $$;
	CREATE TRIGGER refuse BEFORE DELETE ON agent_queue FOR EACH ROW
		WHEN (OLD.request_data ->> 'text' = 'number 11') EXECUTE FUNCTION refuse();
	CREATE TABLE keeper (job bigint REFERENCES agent_queue (id));
	INSERT INTO keeper SELECT id FROM agent_queue WHERE request_data ->> 'text' = 'number 13';
	UPDATE agent_queues SET keep_for = '1 hour' WHERE name = 'forever'});
ok(becomes('SELECT count(*) = 3 FROM agent_queue'), 'all go but those that are in the way');
is(kept('forever', 'completed'), '7 11 13', 'the locked one, the one of the trigger, and the one that is referred to');
$session->query_safe('COMMIT');
ok(becomes('SELECT count(*) = 2 FROM agent_queue'), 'the locked one goes when it is free');
like(slurp_file($node->logfile), qr/retention could not delete 2 finished jobs, the first of them job \d+: /,
	'the log names what could not be deleted');
psql('DROP TABLE keeper; DROP TRIGGER refuse ON agent_queue');
ok(becomes('SELECT count(*) = 0 FROM agent_queue'), 'the others go when nothing is in their way');

# ---- expiry in a paused queue and of a scheduled job, with somebody waiting

psql(q{UPDATE agent_queues SET paused = true, keep_failed = NULL, keep_for = NULL WHERE name = 'reports'});
my ($code, $out, $err) = $node->psql('postgres', q{
	LISTEN agent_queue;
	SELECT enqueue_agent('echo', '{"text": "a"}', queue => 'reports', expires_in => '1 s') AS id \gset
	SELECT wait_agent(:id, '30 s');
	SELECT 'expired: ' || :id}, on_error_stop => 0);
like($err, qr/the job expired before it was called/, 'who waits for a job of a paused queue gets its error');
my ($id) = $out =~ /expired: (\d+)/;
like($out, qr/Asynchronous notification "agent_queue" with payload "\{"id": $id, "status": "failed"\}"/, 'a notification was sent');
is(psql("SELECT status, error_code, completed_at >= expires_at FROM agent_queue WHERE id = $id"), 'failed|expired|t',
	'the job is failed as by a claim');

$id = psql(q{SELECT enqueue_agent('echo', '{"text": "b"}', queue => 'reports', delay => '1 day', expires_in => '1 day')});
psql("UPDATE agent_queue SET expires_at = clock_timestamp() + interval '1 s' WHERE id = $id");
($code, $out, $err) = $node->psql('postgres', "SELECT wait_agent($id, '30 s')");
like($err, qr/the job expired before it was called/, 'who waits for a scheduled job gets its error');

# ---- expiry of many, one of them refused, one locked, others far from expiring

psql(q{
	DELETE FROM agent_queue;
	CREATE TRIGGER refuse BEFORE UPDATE ON agent_queue FOR EACH ROW
		WHEN (NEW.request_data ->> 'text' = 'number 5') EXECUTE FUNCTION refuse();
	INSERT INTO agent_queue (agent_type, queue, request_data, expires_at)
	SELECT 'echo', 'reports', jsonb_build_object('text', 'number ' || n),
	       CASE WHEN n % 10 < 9 THEN now() + interval '2 s' ELSE now() + interval '1 day' END
	FROM generate_series(1, 5000) AS n});
$session->query_safe(q{BEGIN; SELECT id FROM agent_queue WHERE request_data ->> 'text' = 'number 6' FOR UPDATE});
ok(becomes(q{SELECT count(*) = 4498 FROM agent_queue WHERE error_code = 'expired'}), 'all that can expire do');
is(psql(q{SELECT string_agg(request_data ->> 'text', ', ' ORDER BY id) FROM agent_queue WHERE status = 'pending' AND expires_at < now()}),
	'number 5, number 6', 'those in the way are left');
$session->query_safe('COMMIT');
ok(becomes(q{SELECT count(*) = 4499 FROM agent_queue WHERE error_code = 'expired'}), 'the locked one expires when it is free');
like(slurp_file($node->logfile), qr/job \d+ cannot expire: this one is not to be touched; it is passed over for a minute/,
	'the log names the refused one');
psql('DROP TRIGGER refuse ON agent_queue; DELETE FROM agent_queue');

# ---- partitions of api_usage

sub partition { return psql("SELECT to_char(timezone('UTC', now()) + interval '$_[0] months', '\"api_usage_\"YYYYMM')") }
sub old_usage
{
	my ($at) = @_;
	psql("INSERT INTO api_usage (queue_id, attempt, tokens_used, cost_usd, created_at) VALUES (1, 1, 10, 0.5, '$at')");
	return;
}

psql(q{DO $$ DECLARE p regclass; BEGIN
	FOR p IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'api_usage'::regclass AND inhrelid <> 'api_usage_default'::regclass
	LOOP EXECUTE format('DROP TABLE %s', p); END LOOP; END $$});
psql('DELETE FROM api_usage');
$session->quit;
$node->restart;
$session = $node->background_psql('postgres');
wait_for_workers($node, 'postgres', 1);
wait_for_pass();
is(psql(q{SELECT count(*) FROM pg_inherits WHERE inhparent = 'api_usage'::regclass}), 1, 'without usage no partition is made');
old_usage('now');
ok(becomes("SELECT to_regclass('" . partition(0) . "') IS NOT NULL AND to_regclass('" . partition(1) . "') IS NOT NULL"),
	'with usage there are partitions of this month and the next');
is(psql(q{SELECT count(*) FROM api_usage_default}), 0, 'and the row is in its own');

psql(q{
	CREATE TABLE api_usage_202001 PARTITION OF api_usage FOR VALUES FROM ('2020-01-01Z') TO ('2020-02-01Z');
	CREATE TABLE api_usage_202002 PARTITION OF api_usage FOR VALUES FROM ('2020-02-01Z') TO ('2020-03-01Z')});
old_usage('2020-01-15Z');
old_usage('2020-02-15Z');
old_usage('2019-01-15Z');
old_usage(psql(q{SELECT date_trunc('month', now(), 'UTC') - interval '1 day'}));
$session->query_safe('BEGIN; SELECT count(*) FROM api_usage');
set_and_reload($node, 'agent_queue.keep_usage_months' => 1);
is(wait_agent($node, 'postgres', enqueue($node, 'postgres', 'echo')), 'Hello', 'a long report holds up no job');
is(psql(q{SELECT to_regclass('api_usage_202001') IS NOT NULL}), 't', 'a partition that is read stays');
$session->query_safe('COMMIT');
ok(becomes(q{SELECT to_regclass('api_usage_202001') IS NULL AND to_regclass('api_usage_202002') IS NULL}), 'then it is dropped');
ok(becomes(q{SELECT count(*) = 0 FROM api_usage WHERE created_at < now() - interval '2 months'}),
	'old rows of the default partition go, too');
is(psql(q{SELECT count(*) FROM api_usage WHERE tokens_used = 10}), 2, 'the last month and this one are kept');
is(psql(q{SELECT sum(total_cost) FROM user_costs}), '2.5', 'user_costs still has the money of what was dropped');
$session->quit;

# ---- the worker is killed in the middle of a pass

psql(q{
	CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.001); RETURN OLD; END $$;
	CREATE TRIGGER slow BEFORE DELETE ON agent_queue FOR EACH ROW EXECUTE FUNCTION slow()});
set_and_reload($node, 'agent_queue.start_paused' => 'on');
finished_jobs('by_number', 'completed', 5000, '1 minute');
set_and_reload($node, 'agent_queue.start_paused' => undef);
my $count = q{SELECT count(*) FROM agent_queue WHERE queue = 'by_number'};
ok(becomes("SELECT ($count) < 5000"), 'a pass is under way');
my $left = psql($count);
cmp_ok($left, '>', 3, 'and not over');
kill 9, psql('SELECT pid FROM agent_workers');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM agent_workers WHERE started_at IS NOT NULL'), 'the worker comes back');
psql('DROP TRIGGER slow ON agent_queue');
ok(becomes("SELECT ($count) = 3"), 'the next one does the rest');
is(kept('by_number', 'completed'), '4998 4999 5000', 'and keeps what is to be kept');

finish($node, is_killed => 1, allow => [
	qr/this one is not to be touched/, qr/retention could not delete/, qr/the job expired before it was called/,
	qr/upkeep has to wait: canceling statement due to lock timeout/]);

done_testing();
