# What the TAP tests share: a cluster with the extension, the imposter as provider, jobs, and the look into the server's
# log with which each of them ends.
#
# The clusters have a poll interval of a minute, the longest there is: what happens within seconds was woken, not found.
package AgentQueue;

use strict;
use warnings FATAL => 'all';

# Long for what should be there at once, short for a build that has to tell of a failure.
BEGIN { $ENV{PG_TEST_TIMEOUT_DEFAULT} //= 40 }

use Exporter 'import';
use HTTP::Tiny;
use IPC::Open2 ();
use IPC::Run ();
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

our @EXPORT = qw(
  new_cluster preload_conf create_extension wait_for_workers finish
  start_imposter provider_url calls_of closed_of open_gate reset_calls
  define_agent enqueue wait_agent job jobs_done wait_in_flight worker_sum
  set_and_reload seconds_of parallel_psql log_seconds_between
);

# Recognisable in any log, table or dump that it should not be in.
our $KEY = 'sk-test-SECRETSECRET0123456789';

my $imposter;

# ---- clusters

sub preload_conf
{
	return <<~'CONF';
		shared_preload_libraries = 'agent_queue'
		max_worker_processes = 16
		max_prepared_transactions = 5
		log_statement = none
		agent_queue.poll_interval = 60s
		agent_queue.max_workers = 1
		CONF
}

# A running cluster with the extension in its database postgres. conf: lines for postgresql.conf.
sub new_cluster
{
	my ($name, %options) = @_;
	$ENV{AQ_TEST_KEY} = $KEY;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', preload_conf() . ($options{conf} // ''));
	$node->start;
	create_extension($node, 'postgres') unless $options{no_extension};
	return $node;
}

# CREATE EXTENSION, and an agent type "echo" that is answered inside the worker. Users are of tier free, and nothing
# bounds them: tests of limits make tiers of their own.
sub create_extension
{
	my ($node, $database) = @_;
	$node->safe_psql(
		$database, q{
		CREATE EXTENSION agent_queue;
		UPDATE agent_tiers SET unlimited = true WHERE name = 'free';
		INSERT INTO agent_types (name) VALUES ('echo');
		INSERT INTO agent_routes (agent_type, provider, model) VALUES ('echo', 'echo', 'echo')});
	wait_for_workers($node, $database, 1);
	return;
}

sub wait_for_workers
{
	my ($node, $database, $count) = @_;
	return $node->poll_query_until($database,
		"SELECT count(*) >= $count FROM agent_workers WHERE state = 'paused' OR (state = 'idle' AND rounds > 0)")
	  || die "there are no $count idle workers in $database";
}

# Stops the cluster and looks through its log. allow: expected WARNING, ERROR, FATAL and PANIC lines; is_killed: the test
# has killed processes with signal 9.
sub finish
{
	my ($node, %options) = @_;
	$node->stop('fast');
	my @allowed = @{ $options{allow} // [] };
	# What Postgres says in any restart or shutdown.
	push @allowed, qr/terminating (?:connection|background worker|autovacuum process)|the database system is (?:starting up|shutting down|not yet|in recovery mode)/;
	push @allowed, qr/because of crash of another server process/ if $options{is_killed};

	my (@crashes, @unexpected, @secrets);
	foreach my $line (split /\n/, slurp_file($node->logfile))
	{
		push @secrets, $line if $line =~ /SECRETSECRET/;
		my $is_own_kill = $options{is_killed} && $line =~ /was terminated by signal 9: Killed/;
		push @crashes, $line
		  if !$is_own_kill && $line =~ /terminated by signal|PANIC|uncaught exception|terminate called|AddressSanitizer/;
		next unless $line =~ /^\S+ \S+ \S+ \[\d+\] .*?\b(?:WARNING|ERROR|FATAL|PANIC):  /;
		push @unexpected, $line unless grep { $line =~ $_ } @allowed;
	}
	is(join("\n", @crashes), '', $node->name . ': no crash in the log');
	is(join("\n", @unexpected), '', $node->name . ': no unexpected warning or error in the log');
	is(join("\n", @secrets), '', $node->name . ': no API key in the log');
	return;
}

# Changes settings of the whole server, by reload. A value of undef resets.
sub set_and_reload
{
	my ($node, %settings) = @_;
	$node->safe_psql('postgres',
		join(";\n", map { defined $settings{$_} ? "ALTER SYSTEM SET $_ = '$settings{$_}'" : "ALTER SYSTEM RESET $_" }
			  sort keys %settings));
	$node->reload;
	return;
}

# ---- the provider

sub start_imposter
{
	my $command = 'ulimit -n $(ulimit -Hn); exec python3 "$0" --port 0';
	my $pid = IPC::Open2::open2(my $out, my $in, 'sh', '-c', $command, "$ENV{AQ_ROOT}/test/support/imposter.py");
	my ($port) = (<$out> // '') =~ /^PORT (\d+)/ or die 'the imposter did not start';
	$imposter = { pid => $pid, in => $in, out => $out, port => $port };
	return;
}

END
{
	my $status = $?;
	if ($imposter)
	{
		close $imposter->{in};
		waitpid $imposter->{pid}, 0;
	}
	$? = $status;
}

sub provider_url
{
	my ($path) = @_;
	return "http://127.0.0.1:$imposter->{port}$path";
}

# The calls whose path begins with $prefix, as the imposter has written them down.
sub calls_of
{
	my ($prefix) = @_;
	return journal_of('calls', $prefix);
}

# Those on which the client has hung up while an answer was owed.
sub closed_of
{
	my ($prefix) = @_;
	return journal_of('closed', $prefix);
}

sub journal_of
{
	my ($what, $prefix) = @_;
	my $answer = HTTP::Tiny->new(timeout => 20)->get(provider_url('/_calls'));
	die "the imposter does not answer: $answer->{content}" unless $answer->{success};
	my $calls = JSON::PP::decode_json($answer->{content})->{$what};
	return grep { index($_->{path}, $prefix) == 0 } @$calls;
}

# Lets the calls of /gate/$name be answered, those that wait and those that come.
sub open_gate
{
	my ($name) = @_;
	HTTP::Tiny->new->get(provider_url("/_open/$name"));
	return;
}

sub reset_calls
{
	HTTP::Tiny->new->get(provider_url('/_reset'));
	return;
}

# ---- jobs

sub assignments
{
	my (%columns) = @_;
	my @names = sort keys %columns;
	my @values = map { defined $columns{$_} ? q{'} . ($columns{$_} =~ s/'/''/gr) . q{'} : 'NULL' } @names;
	return join(', ', @names), join(', ', @values);
}

# SQL that makes an agent type with a provider of the same name, at $url (a path: at the imposter). Options: type and
# provider, columns of the two rows. No key is needed unless the provider's row names one.
sub agent_sql
{
	my ($name, $url, %options) = @_;
	$url = provider_url($url) if $url =~ m{^/};
	my ($provider_names, $provider_values) =
	  assignments(name => $name, base_url => $url, api_key_ref => '', %{ $options{provider} // {} });
	my ($type_names, $type_values) =
	  assignments(name => $name, expires_in => undef, retry_base => '100 ms', %{ $options{type} // {} });
	return <<~SQL;
		INSERT INTO agent_providers ($provider_names) VALUES ($provider_values);
		INSERT INTO agent_types ($type_names) VALUES ($type_values);
		INSERT INTO agent_routes (agent_type, provider, model) VALUES ('$name', '$name', 'imposter-1');
		SQL
}

sub define_agent
{
	my ($node, $database, @agents) = @_;
	@agents = ([@agents]) unless ref $agents[0];
	$node->safe_psql($database, join('', map { agent_sql(@$_) } @agents));
	return;
}

# One job; its id. Options are further arguments of enqueue_agent, as SQL.
sub enqueue
{
	my ($node, $database, $agent_type, %options) = @_;
	my $count = delete $options{count};
	my $more = join '', map { ", $_ => $options{$_}" } sort keys %options;
	return $node->safe_psql($database,
		"SELECT enqueue_agent('$agent_type', '{\"text\": \"Hello\"}'$more)") unless $count;
	return $node->safe_psql($database, <<~SQL);
		SELECT count(*) FROM enqueue_agents('$agent_type',
			ARRAY(SELECT jsonb_build_object('text', 'number ' || n) FROM generate_series(1, $count) AS n)$more)
		SQL
}

sub wait_agent
{
	my ($node, $database, $id) = @_;
	return $node->safe_psql($database, "SELECT wait_agent($id, '20 s') ->> 'text'");
}

# One job's row as a hash.
sub job
{
	my ($node, $database, $id) = @_;
	my $row = $node->safe_psql($database,
		"SELECT to_jsonb(q) || jsonb_build_object('result_text', result ->> 'text') FROM agent_queue q WHERE id = $id");
	return JSON::PP::decode_json($row);
}

# Waits until no job (of those that the condition names) is on its way.
sub jobs_done
{
	my ($node, $database, $condition) = @_;
	$condition //= 'true';
	return $node->poll_query_until($database,
		"SELECT count(*) = 0 FROM agent_queue WHERE status IN ('pending', 'scheduled', 'processing') AND ($condition)");
}

sub wait_in_flight
{
	my ($node, $database, $count) = @_;
	return $node->poll_query_until($database, "SELECT sum(in_flight) = $count FROM agent_workers")
	  || die "$count calls are not in flight";
}

# The sum of one column of agent_workers.
sub worker_sum
{
	my ($node, $database, $column) = @_;
	return $node->safe_psql($database, "SELECT sum($column) FROM agent_workers");
}

# ---- time and sessions

sub seconds_of(&)
{
	my ($code) = @_;
	my $start = time;
	$code->();
	return time - $start;
}

# Runs each statement in a session of its own, at the same time; returns their outputs.
sub parallel_psql
{
	my ($node, $database, @statements) = @_;
	my @runs = map {
		my $run = { in => $_, out => '', err => '' };
		$run->{handle} = IPC::Run::start(
			[ $node->installed_command('psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database) ],
			'<', \$run->{in}, '>', \$run->{out}, '2>', \$run->{err}, IPC::Run::timeout(60));
		$run;
	} @statements;
	foreach my $run (@runs)
	{
		$run->{handle}->finish or die "psql failed: $run->{err}";
		chomp $run->{out};
	}
	return map { $_->{out} } @runs;
}

# Seconds between the last log line that matches $from and the first later one that matches $to.
sub log_seconds_between
{
	my ($node, $from, $to) = @_;
	my ($start, $end);
	foreach my $line (split /\n/, slurp_file($node->logfile))
	{
		my ($h, $m, $s) = $line =~ /^\S+ (\d+):(\d+):(\d+\.\d+) / or next;
		my $at = $h * 3600 + $m * 60 + $s;
		($start, $end) = ($at, undef) if $line =~ $from;
		$end //= $at if defined $start && $line =~ $to;
	}
	return undef unless defined $start && defined $end;
	return $end < $start ? $end - $start + 86400 : $end - $start;
}

1;
