# The boundary between C++ and Postgres in a background worker: it survives ten thousand of each kind of exception.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('boundary_worker');
$node->safe_psql('postgres', "\\i $ENV{AQ_ROOT}/test/support/boundary_functions.sql");
my $took = seconds_of { is($node->safe_psql('postgres', 'SELECT boundary_test.worker()'), 'passed', 'the worker survives') };
diag(sprintf 'it took %.1f s', $took);
like(slurp_file($node->logfile), qr/LOG:  agent_queue boundary test passed/, 'and says so in the log');
is(wait_agent($node, 'postgres', enqueue($node, 'postgres', 'echo')), 'Hello', 'the queue goes on');
finish($node);
done_testing();
