# Dialects of OpenAI's format over real HTTP: a change of agent_providers.dialect changes what the next call sends.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

start_imposter();
my $node = new_cluster('dialects');

my %type = (params => '{"seed": 3, "logprobs": true}', max_output_tokens => 77);
define_agent(
	$node, 'postgres',
	[ 'spoken', '/mirror/spoken', type => \%type ],
	[
		'azure', '/mirror/azure?api-version=2024-10-21',
		type => \%type,
		provider => { dialect => 'azure', api_key_ref => 'env:AQ_TEST_KEY' }
	]);

# What was sent, without the conversation.
sub sent
{
	my ($name) = @_;
	my $id = enqueue($node, 'postgres', $name);
	ok(jobs_done($node, 'postgres'), "$name: done");
	my $body = JSON::PP::decode_json(job($node, 'postgres', $id)->{result}{text});
	delete $body->{$_} foreach qw(model messages);
	return $body;
}

my %plain = (seed => 3, logprobs => JSON::PP::true, max_completion_tokens => 77);
is_deeply(sent('spoken'), \%plain, 'no dialect: everything as it is');
$node->safe_psql('postgres', q{UPDATE agent_providers SET dialect = 'mistral' WHERE name = 'spoken'});
is_deeply(sent('spoken'), { random_seed => 3, max_tokens => 77 }, 'mistral: its names, and nothing that it refuses');
$node->safe_psql('postgres', q{UPDATE agent_providers SET dialect = '' WHERE name = 'spoken'});
is_deeply(sent('spoken'), \%plain, 'an empty one is none');

is_deeply(sent('azure'), \%plain, 'azure: the same params');
my ($call) = calls_of('/mirror/azure');
is($call->{path}, '/mirror/azure/chat/completions', 'azure: the path goes before the version');
ok(!$call->{authorization_present}, 'azure: the key is no bearer token');

finish($node);
done_testing();
