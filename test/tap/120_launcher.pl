# What the launcher does when something fails: workers that die young, databases that nobody can connect to, more
# databases than its table holds, no free background worker. And an extension that is created right after it was dropped.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

sub occurrences
{
	my ($node, $pattern) = @_;
	my @found = slurp_file($node->logfile) =~ /$pattern/g;
	return scalar @found;
}

# Wakes the launcher, which then looks at everything: what needs a database for itself does that when it has ended.
sub call_launcher
{
	my ($node, $times) = @_;
	$node->safe_psql('postgres', join('', ("ALTER DATABASE template1 SET TABLESPACE pg_default;\n") x $times));
	return;
}

sub answers
{
	my ($node, $database) = @_;
	return wait_agent($node, $database, enqueue($node, $database, 'echo'));
}

my $node = new_cluster('launcher');

# ---- the extension is dropped and created at once

$node->safe_psql('postgres', join('', map { "DROP EXTENSION agent_queue CASCADE; CREATE EXTENSION agent_queue;\n" } 1 .. 10));
$node->safe_psql('postgres', 'DROP EXTENSION agent_queue CASCADE');
create_extension($node, 'postgres');
is(answers($node, 'postgres'), 'Hello', 'an extension that is created right after it was dropped has a worker');

# ---- workers that die young

# Longer waits come from deaths within five seconds only: 0.2, 0.4, 0.8 and 1.6 seconds.
my $seconds = seconds_of {
	my $killed = 0;
	for (1 .. 5)
	{
		$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM agent_workers WHERE pid <> $killed");
		$killed = $node->safe_psql('postgres', 'SELECT pid FROM agent_workers');
		$node->safe_psql('postgres', "SELECT pg_terminate_backend($killed)");
	}
	wait_for_workers($node, 'postgres', 1);
};
cmp_ok($seconds, '>', 2.5, 'a worker that dies again and again is started less and less often');
is(answers($node, 'postgres'), 'Hello', 'and works when it is left alone');
is($node->safe_psql('postgres', 'SELECT count(*) FROM agent_workers'), '1', 'nothing but the one worker has a slot');

# ---- a database that nobody can connect to

$node->safe_psql('postgres', 'CREATE DATABASE broken ALLOW_CONNECTIONS false');
my $folder = $node->data_dir . '/base/' . $node->safe_psql('postgres', q{SELECT oid FROM pg_database WHERE datname = 'broken'});
rename "$folder/PG_VERSION", "$folder/hidden" or die "rename: $!";
my $broken = qr/FATAL:  "base\/\d+" is not a valid data directory/;
$node->safe_psql('postgres', 'ALTER DATABASE broken ALLOW_CONNECTIONS true');
call_launcher($node, 1);
$node->wait_for_log($broken);
for (1 .. 60)
{
	call_launcher($node, 1);
	is(answers($node, 'postgres'), 'Hello', 'the other databases are served') if $_ == 30;
}
cmp_ok(occurrences($node, $broken), '<', 12, 'it is not tried each time that the launcher looks at the databases');
rename "$folder/hidden", "$folder/PG_VERSION" or die "rename: $!";
create_extension($node, 'broken');
is(answers($node, 'broken'), 'Hello', 'it is served as soon as it can be');
$node->safe_psql('postgres', 'DROP DATABASE broken');

$node->safe_psql('postgres',
	q{CREATE DATABASE half_dropped; UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half_dropped'});
$node->safe_psql('postgres', 'CREATE DATABASE fence');
create_extension($node, 'fence');    # by now the launcher has looked at both
is(occurrences($node, qr/cannot connect to invalid database/), 0, 'a half dropped database is not tried at all');
$node->safe_psql('postgres', 'DROP DATABASE half_dropped');

# ---- more databases than the launcher's table holds

# Rows of pg_database whose folders are that of template0 by another name: cheap, and enough for whoever only reads.
my ($template) = $node->safe_psql('postgres', q{SELECT oid FROM pg_database WHERE datname = 'template0'});
symlink $template, $node->data_dir . "/base/$_" or die "symlink: $!" foreach 900001 .. 900150;
$node->safe_psql(
	'postgres', q{
	INSERT INTO pg_database
	SELECT (jsonb_populate_record(d, jsonb_build_object('oid', 900000 + n, 'datname', 'many_' || n,
		'datallowconn', true, 'datistemplate', false, 'datacl', NULL))).*
	FROM pg_database d, generate_series(1, 150) n WHERE d.datname = 'template0'});
call_launcher($node, 1);
$node->safe_psql('postgres', 'CREATE DATABASE one_more');
create_extension($node, 'one_more');
is(answers($node, 'one_more'), 'Hello', 'databases without the extension make room for one that has it');
is(answers($node, 'fence'), 'Hello', 'those that have it stay');
is(occurrences($node, qr/databases have the extension/), 0, 'and nobody complains of their number');
finish($node, allow => [$broken, qr/cannot connect to invalid database/]);

# ---- no background worker is free

# The launcher's and one more.
my $small = new_cluster('small', conf => "max_worker_processes = 2\nmax_logical_replication_workers = 0\n");
my $none_free = qr/WARNING:  agent_queue: no background worker slot is free .*max_worker_processes/;
is(occurrences($small, $none_free), 0, 'with a slot for the one worker there is no complaint');
$small->safe_psql('postgres', 'CREATE DATABASE second');
$small->safe_psql(
	'second', q{
	CREATE EXTENSION agent_queue;
	INSERT INTO agent_types (name) VALUES ('echo');
	INSERT INTO agent_routes (agent_type, provider, model) VALUES ('echo', 'echo', 'echo')});
my $id = enqueue($small, 'second', 'echo');
$small->wait_for_log($none_free);
for (1 .. 30)
{
	call_launcher($small, 1);
	answers($small, 'postgres') if $_ % 10 == 0;
}
is(occurrences($small, $none_free), 1, 'that there is no slot for a second database is said once');
is($small->safe_psql('second', "SELECT status FROM agent_queue WHERE id = $id"), 'pending', 'its job waits');
$small->safe_psql('postgres', 'DROP EXTENSION agent_queue CASCADE');
is(wait_agent($small, 'second', $id), 'Hello', 'and runs when a slot becomes free');
finish($small, allow => [$none_free]);

done_testing();
