# Copies of a whole cluster. A server that was recovered to a point in time starts paused: its jobs may be running where
# the backup came from. A standby runs nothing; promoted, it goes on by itself, because it is no copy but the successor.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(has_archiving => 1, allows_streaming => 1);
$primary->append_conf('postgresql.conf', AgentQueue::preload_conf());
$primary->start;
create_extension($primary, 'postgres');
$primary->safe_psql('postgres', 'CREATE DATABASE plain');
set_and_reload($primary, 'agent_queue.start_paused' => 'on');
$primary->poll_query_until('postgres', q{SELECT state = 'paused' FROM agent_workers});
$primary->safe_psql('postgres', q{SELECT enqueue_agent('echo', '{"text": "before the backup"}', expires_in => '1 day')});
$primary->backup('base');
$primary->safe_psql('postgres', 'SELECT pg_switch_wal()');

# ---- recovered to a point in time

my $recovered = PostgreSQL::Test::Cluster->new('recovered');
$recovered->init_from_backup($primary, 'base', has_restoring => 1, standby => 0);
$recovered->append_conf('postgresql.conf', "agent_queue.start_paused = off\nrecovery_target_action = 'promote'");
unlink $recovered->data_dir . '/postgresql.auto.conf';
$recovered->start;
$recovered->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
ok($recovered->poll_query_until('postgres', q{SELECT state = 'paused' FROM agent_workers}),
	'a recovered server starts paused');
ok($recovered->poll_query_until('postgres', 'SELECT database_oid = 0 FROM agent_queue_origin'),
	'its database is nobody\'s home');

# What is made there now was never in the backup. The statistics tell that a probe has looked into "plain".
$recovered->poll_query_until('postgres', q{SELECT xact_commit > 0 FROM pg_stat_database WHERE datname = 'plain'});
$recovered->safe_psql('postgres', 'CREATE DATABASE fresh');
foreach my $database ('plain', 'fresh')
{
	create_extension($recovered, $database);
	is(wait_agent($recovered, $database, enqueue($recovered, $database, 'echo')),
		'Hello', "jobs of an extension that is created after the recovery run (in $database)");
}
is($recovered->safe_psql('postgres', 'SELECT status FROM agent_queue'), 'pending', 'those of the backup do not');

$recovered->restart;
ok($recovered->poll_query_until('postgres', q{SELECT state = 'paused' FROM agent_workers}),
	'it stays paused over a restart');
is($recovered->safe_psql('postgres', 'SELECT status FROM agent_queue'), 'pending', 'its job has not run');

$recovered->safe_psql('postgres', 'SELECT adopt_jobs()');
ok($recovered->poll_query_until('postgres', q{SELECT status = 'completed' FROM agent_queue}),
	'after adopt_jobs() it runs');
finish($recovered, allow => [qr/this database is a copy/]);

# ---- a standby, promoted

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
unlink $standby->data_dir . '/postgresql.auto.conf';
$standby->append_conf('postgresql.conf', 'agent_queue.start_paused = off');
$standby->start;
$primary->safe_psql('postgres', q{SELECT enqueue_agent('echo', '{"text": "after the backup"}', expires_in => '1 day')});
$primary->wait_for_catchup($standby, 'replay');
is( $standby->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'agent_queue%'}),
	'0', 'a standby has no workers');
is($standby->safe_psql('postgres', q{SELECT string_agg(DISTINCT status, ',') FROM agent_queue}),
	'pending', 'and runs nothing');

$primary->stop('immediate');
$standby->promote;
ok($standby->poll_query_until('postgres', q{SELECT count(*) = 2 FROM agent_queue WHERE status = 'completed'}),
	'after its promotion all jobs run by themselves');
finish($standby, allow => [qr/could not (?:connect|receive|send)|streaming|terminating walreceiver/]);

done_testing();
