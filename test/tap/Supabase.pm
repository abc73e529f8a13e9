# A cluster that looks like a Supabase before the extension comes, the stand-ins for PostgREST and Realtime
# (test/support/supabase), and programs of Node.js that talk to them.
package Supabase;

use strict;
use warnings FATAL => 'all';

use AgentQueue;
use Digest::SHA ();
use Exporter 'import';
use IPC::Open2 ();
use IPC::Run ();
use MIME::Base64 ();
use PostgreSQL::Test::Utils ();
use Test::More;

our @EXPORT = qw(need_supabase new_supabase start_supabase stop_supabase supabase_token run_node);

my $SECRET = 'a secret of at least thirty-two letters';
my $server;

sub node_modules
{
	my $modules = $ENV{AQ_NODE_MODULES} // '';
	die "the npm packages of test/node are not installed: run tools/install_deps\n" unless -d "$modules/\@supabase";
	return $modules;
}

# Node.js: the packages' own, where there is one. Debian 12's is so old that the clients complain of it.
sub node_program
{
	my $program = node_modules() . '/.bin/node';
	return -x $program ? $program : 'node';
}

# Skips the test where wal2json is not packaged for the server.
sub need_supabase
{
	my ($libraries) = PostgreSQL::Test::Utils::run_command([ 'pg_config', '--pkglibdir' ]);
	plan skip_all => 'wal2json is not installed for this server' unless -e "$libraries/wal2json.so";
	node_modules();
	return;
}

# The web roles, the rights that they get on all that is new, the publication; then the extension.
sub new_supabase
{
	my ($name) = @_;
	my $node = new_cluster($name, no_extension => 1, conf => "wal_level = logical\nagent_queue.max_workers = 1\n");
	$node->safe_psql('postgres', <<~'SQL');
		CREATE ROLE anon NOLOGIN NOINHERIT;
		CREATE ROLE authenticated NOLOGIN NOINHERIT;
		CREATE ROLE service_role NOLOGIN NOINHERIT BYPASSRLS;
		CREATE ROLE authenticator LOGIN NOINHERIT;
		GRANT anon, authenticated, service_role TO authenticator;
		GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
		ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role;
		ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
		ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;
		CREATE PUBLICATION supabase_realtime;
		SQL
	# Newer servers load named output plugins only.
	if ($node->safe_psql('postgres', q{SELECT count(*) FROM pg_settings WHERE name = 'output_plugin_libraries'}))
	{
		$node->safe_psql('postgres', 'ALTER SYSTEM SET output_plugin_libraries = pgoutput, wal2json');
		$node->reload;
	}
	create_extension($node, 'postgres');
	return $node;
}

# Starts the stand-ins; options are the server's.
sub start_supabase
{
	my ($node, @options) = @_;
	local $ENV{NODE_PATH} = node_modules();
	my $pid = IPC::Open2::open2(
		my $out, my $in, node_program(), "$ENV{AQ_ROOT}/test/support/supabase/server.cjs",
		'--socket', $node->host, '--port', $node->port, '--database', 'postgres',
		'--user', $node->safe_psql('postgres', 'SELECT session_user'), '--secret', $SECRET, @options);
	my ($port) = (<$out> // '') =~ /^PORT (\d+)/ or die 'the stand-in for Supabase did not start';
	$server = { pid => $pid, in => $in, out => $out, port => $port };
	return;
}

sub stop_supabase
{
	close $server->{in};
	waitpid $server->{pid}, 0;
	$server = undef;
	return;
}

END
{
	my $status = $?;
	stop_supabase() if $server;
	$? = $status;
}

sub base64url
{
	my ($text) = @_;
	return MIME::Base64::encode_base64($text, '') =~ tr{+/}{-_}r =~ s/=+$//r;
}

# A JWT with these claims, as JSON.
sub supabase_token
{
	my ($claims) = @_;
	my $text = base64url('{"alg":"HS256","typ":"JWT"}') . '.' . base64url($claims);
	return "$text." . base64url(Digest::SHA::hmac_sha256($text, $SECRET));
}

# Runs a program; its standard output and its standard error.
sub run_node
{
	my (@command) = @_;
	local $ENV{NODE_PATH} = node_modules();
	local $ENV{AQ_SUPABASE_SECRET} = $SECRET;
	local $ENV{SUPABASE_URL} = "http://127.0.0.1:$server->{port}";
	my ($output, $errors);
	IPC::Run::run([ node_program(), @command ], '>', \$output, '2>', \$errors, IPC::Run::timeout(120));
	return ($output, $errors);
}

1;
