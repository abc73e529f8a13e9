# A second worker comes while jobs pile up behind a busy one, and both share the work.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;

start_imposter();
my $node = new_cluster('scaling', conf => "agent_queue.max_workers = 2\nagent_queue.max_in_flight = 4\n");
define_agent($node, 'postgres', 'slow', '/delay/50/v1');
is($node->safe_psql('postgres', 'SELECT count(*) FROM agent_workers'), '1', 'an idle database has one worker');

enqueue($node, 'postgres', 'slow', count => 600);
ok($node->poll_query_until('postgres', 'SELECT count(*) = 2 FROM agent_workers WHERE settled > 0'),
	'under load a second one comes and works');
ok(jobs_done($node, 'postgres'), 'all jobs end');
is( $node->safe_psql(
		'postgres', 'SELECT count(*), count(DISTINCT queue_id), max(attempt), bool_or(estimated) FROM api_usage'),
	'600|600|1|f',
	'each was called and accounted once');
is($node->safe_psql('postgres', q{SELECT count(*) FROM agent_queue WHERE status = 'completed'}), '600', 'and answered');
finish($node);

done_testing();
