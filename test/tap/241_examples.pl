# The programs of examples/, as their READMEs say, with the imposter as provider.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use IPC::Run ();
use Supabase;
use Test::More;

need_supabase();
start_imposter();
my $node = new_supabase('examples');
my $examples = "$ENV{AQ_ROOT}/examples";
my $user = '00000000-0000-0000-0000-00000000000a';
my $complaint = 'The lamp came without its bulb, and nobody answers the telephone.';
my @provider = ('-v', 'provider=imposter', '-v', 'model=imposter-1');

sub psql { return $node->safe_psql('postgres', @_) }

sub run_file
{
	my ($file, @options) = @_;
	my ($output, $errors);
	my $is_good = IPC::Run::run(
		[ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres'), '-f', "$examples/$file", @options ],
		'>', \$output, '2>', \$errors);
	ok($is_good, "$file runs") || diag($errors);
	is($errors, '', "$file: nothing on standard error");
	return $output;
}

psql(sprintf q{INSERT INTO agent_providers (name, base_url) VALUES ('imposter', '%s')}, provider_url('/ok'));

# ---- SQL only

my $output = run_file('sql-only/app.sql', @provider);
my $answer = 'echo: Summarise in one sentence: The lamp of %s came without its bulb, and nobody answers the telephone.';
is($output, join('', map { sprintf "%s|$answer\n", $_->[0], $_->[1] } ([ 1, 'Ada' ], [ 2, 'Grace' ], [ 'Ada', 'Ada' ], [ 'Grace', 'Grace' ])),
	'sql-only: every complaint has its summary');
is(psql('SELECT count(*) FROM agent_queue'), 2, 'sql-only: what was rolled back left no job');
is(scalar(calls_of('/ok')), 2, '… and no call');

# ---- psycopg

psql('CREATE TABLE complaints (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text, summary text)');
sub complain
{
	my (@command) = ("$examples/psycopg/complain.py", @_);
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = 'postgres';
	my ($output, $errors);
	IPC::Run::run(\@command, '>', \$output, '2>', \$errors, IPC::Run::timeout(60));
	return ($output, $errors);
}
is_deeply([ complain($complaint) ], [ "1: echo: Summarise in one sentence: $complaint\n", '' ], 'psycopg: prints the summary');
is(psql('SELECT summary FROM complaints'), "echo: Summarise in one sentence: $complaint", '… and has stored it');
psql(sprintf q{UPDATE agent_providers SET base_url = '%s' WHERE name = 'imposter'}, provider_url('/status/400'));
like((complain($complaint))[1], qr/^AQ004: /, 'psycopg: a failed job is an error with its SQLSTATE');
psql(sprintf q{UPDATE agent_providers SET base_url = '%s' WHERE name = 'imposter'}, provider_url('/ok'));

# ---- supabase-js

my $packages = "$examples/supabase-js/node_modules";
-e $packages or symlink $ENV{AQ_NODE_MODULES}, $packages or die "no symlink: $!";
sub summarise
{
	local $ENV{SUPABASE_ANON_KEY} = supabase_token('{"role": "anon"}');
	local $ENV{SUPABASE_ACCESS_TOKEN} = supabase_token(qq({"sub": "$user", "role": "authenticated"}));
	return run_node("$examples/supabase-js/summarise.mjs", @_);
}
start_supabase($node);
# Long enough that Realtime is followed before the job ends.
psql(sprintf q{UPDATE agent_providers SET base_url = '%s' WHERE name = 'imposter'}, provider_url('/delay/3000'));
my ($summary, $how) = summarise($complaint);
is($summary, "echo: Summarise in one sentence: $complaint\n", 'supabase-js: prints the summary');
like($how, qr/told by Realtime/, '… of which Realtime told');
stop_supabase();
psql(sprintf q{UPDATE agent_providers SET base_url = '%s' WHERE name = 'imposter'}, provider_url('/ok'));
start_supabase($node, '--no-realtime');
($summary, $how) = summarise($complaint);
is($summary, "echo: Summarise in one sentence: $complaint\n", 'supabase-js: without Realtime, too');
like($how, qr/found by looking/, '… by looking');
stop_supabase();
is(psql("SELECT count(*) FROM agent_queue WHERE user_id = '$user'"), 2, 'the jobs are the user\'s');

# The stand-in ends as it stands.
finish($node, allow => [ qr/FATAL:  connection to client lost/, qr/ERROR:  HTTP 400/ ]);
done_testing();
