# Sessions that get in the workers' way: ALTER TABLE, locks on the table and on rows, deletes, a trigger that raises. No
# call is cut off, no answer is lost, the others go on.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use Test::More;

start_imposter();
my $node = new_cluster('locks');
define_agent($node, 'postgres', [ 'quick', '/delay/50' ], [ 'second', '/delay/1000' ]);

sub psql { return $node->safe_psql('postgres', $_[0]) }

sub all_completed
{
	my ($count, $what) = @_;
	ok(jobs_done($node, 'postgres'), "$what: every job ends");
	is(psql(q{SELECT count(*) FROM agent_queue WHERE status = 'completed' AND retry_count = 0}), $count, "$what: completed");
	is(psql('SELECT count(*) FROM api_usage WHERE NOT estimated'), $count, "$what: accounted");
	psql('DELETE FROM agent_queue');
	psql('DELETE FROM api_usage');
	return;
}

# ---- ALTER TABLE

enqueue($node, 'postgres', 'quick', count => 10000);
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM agent_queue WHERE status = 'completed'});
psql(q{ALTER TABLE agent_queue ADD COLUMN note text DEFAULT 'x'});
psql(q{ALTER TABLE api_usage ADD COLUMN note text DEFAULT 'x'});
cmp_ok(psql(q{SELECT count(*) FROM agent_queue WHERE status <> 'completed'}), '>', 0, 'work was under way');
all_completed(10000, 'ALTER TABLE ADD COLUMN');
psql('ALTER TABLE agent_queue DROP COLUMN note');
enqueue($node, 'postgres', 'quick', count => 10);
all_completed(10, 'ALTER TABLE DROP COLUMN');

# ---- a lock on the table, until all calls have ended under it

enqueue($node, 'postgres', 'second', count => 20);
wait_in_flight($node, 'postgres', 20);
my $failures = worker_sum($node, 'postgres', 'store_failures');
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN; LOCK TABLE agent_queue IN ACCESS EXCLUSIVE MODE');
ok($node->poll_query_until('postgres', 'SELECT sum(in_flight) = 0 FROM agent_workers'), 'calls end while the table is locked');
ok($node->poll_query_until('postgres', "SELECT sum(store_failures) >= $failures + 3 FROM agent_workers"), 'the worker tries to store them');
$session->query_safe('COMMIT');
my $took = seconds_of { all_completed(20, 'ACCESS EXCLUSIVE lock') };
cmp_ok($took, '<', 3, 'soon after the lock is gone');

# ---- a lock on one row

enqueue($node, 'postgres', 'second', count => 20);
wait_in_flight($node, 'postgres', 20);
my $id = psql('SELECT max(id) FROM agent_queue');
$session->query_safe("BEGIN; SELECT id FROM agent_queue WHERE id = $id FOR UPDATE");
ok(jobs_done($node, 'postgres', "id <> $id"), 'the others are settled');
ok($node->poll_query_until('postgres', 'SELECT sum(in_flight) = 0 FROM agent_workers'), 'its own call has ended');
is(job($node, 'postgres', $id)->{status}, 'processing', 'the locked job waits');
enqueue($node, 'postgres', 'quick', count => 10);
ok(jobs_done($node, 'postgres', "id <> $id"), 'and new ones run meanwhile');
$session->query_safe('COMMIT');
all_completed(30, 'a row lock');
$session->quit;

# ---- a deleted job

$id = enqueue($node, 'postgres', 'second');
wait_in_flight($node, 'postgres', 1);
psql("DELETE FROM agent_queue WHERE id = $id");
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM api_usage WHERE queue_id = $id AND NOT estimated"),
	'the usage of a deleted job is written');
psql('DELETE FROM api_usage');

# ---- a trigger that raises

psql(q{
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF NEW.status = 'completed' AND NEW.request_data ->> 'text' = 'number 7' THEN
			RAISE 'number 7 is refused';
		END IF;
		RETURN NULL;
	END $$;
	CREATE TRIGGER refuse AFTER UPDATE ON agent_queue FOR EACH ROW EXECUTE FUNCTION refuse()});
enqueue($node, 'postgres', 'quick', count => 50);
ok(jobs_done($node, 'postgres'), 'a trigger that raises: every job ends');
is(psql(q{SELECT count(*) FROM agent_queue WHERE status = 'completed'}), 49, 'the others complete');
my $job = job($node, 'postgres', psql(q{SELECT id FROM agent_queue WHERE status = 'failed'}));
is("$job->{request_data}{text} $job->{error_code}", 'number 7 store_error', 'that one fails');
like($job->{error_message}, qr/number 7 is refused/, 'with the message of the trigger');
is(psql('SELECT count(*) FROM api_usage WHERE NOT estimated'), 50, 'all are accounted');

finish($node, allow => [ qr/WARNING:  agent_queue: the store is busy/, qr/WARNING:  agent_queue: a round could not be stored/ ]);
done_testing();
