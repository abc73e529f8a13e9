# The launcher looks into a database anew when the extension has come there, and not because somebody says CREATE
# EXTENSION: any role may say that of an extension that is there.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# In debug1 the postmaster says which background workers it starts.
my $node = new_cluster('others', no_extension => 1, conf => "log_min_messages = debug1\n");
$node->safe_psql('postgres', 'CREATE ROLE stranger LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE busy');
$node->safe_psql('postgres', 'CREATE DATABASE fence');

sub probes
{
	my @found = slurp_file($node->logfile) =~ /starting background worker process "agent_queue probe"/g;
	return scalar @found;
}

# A launcher that has started the workers of another database has heard all that was said before.
sub fence
{
	$node->safe_psql('fence', 'CREATE EXTENSION agent_queue');
	wait_for_workers($node, 'fence', 1);
	$node->safe_psql('fence', 'DROP EXTENSION agent_queue');
	$node->poll_query_until('fence', q{SELECT count(*) = 0 FROM pg_stat_activity
		WHERE datname = 'fence' AND backend_type LIKE 'agent_queue%'}) or die 'the workers stay';
	return;
}

fence();
my $before = probes();
fence();
my $of_a_fence = probes() - $before;
cmp_ok($of_a_fence, '>', 0, 'a CREATE EXTENSION of ours is probed for');

sub probes_by
{
	my ($statement) = @_;
	my $start = probes();
	foreach my $round (1 .. 5)
	{
		$node->psql('busy', $statement, extra_params => [ '-U', 'stranger' ]);
		fence();
	}
	return probes() - $start - 5 * $of_a_fence;
}

cmp_ok(probes_by('CREATE EXTENSION IF NOT EXISTS plpgsql'),
	'<=', 0, 'a role without rights makes the server start nothing');
cmp_ok(probes_by('CREATE EXTENSION IF NOT EXISTS plpgsql CASCADE'), '<=', 0, 'nor by CASCADE');
cmp_ok(probes_by('CREATE EXTENSION agent_queue'), '<=', 0, 'nor by a statement that is refused');
cmp_ok(probes_by(q{DO 'BEGIN CREATE EXTENSION agent_queue; EXCEPTION WHEN OTHERS THEN NULL; END'}),
	'<=', 0, 'nor by one whose refusal is caught');

# Where it is there already.
create_extension($node, 'busy');
cmp_ok(probes_by('CREATE EXTENSION IF NOT EXISTS agent_queue'), '<=', 0, 'nor where ours is there already');

# DROP and CREATE in one transaction: another one, and its workers work.
$node->safe_psql('busy', <<'SQL');
BEGIN;
DROP EXTENSION agent_queue;
CREATE EXTENSION agent_queue;
INSERT INTO agent_types (name) VALUES ('echo');
INSERT INTO agent_routes (agent_type, provider, model) VALUES ('echo', 'echo', 'echo');
COMMIT;
SQL
is(wait_agent($node, 'busy', enqueue($node, 'busy', 'echo')), 'Hello', 'a new extension in place of the old one works');

finish($node, allow => [qr/permission denied to create extension/]);
done_testing();
