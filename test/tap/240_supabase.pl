# Supabase's own clients (postgrest-js, supabase-js) against stand-ins for PostgREST and Realtime that run the same
# statements as the real ones; and the change stream itself, as wal2json and as pgoutput tell it.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use JSON::PP ();
use Supabase;
use Test::More;

my $A = '00000000-0000-0000-0000-00000000000a';
my $B = '00000000-0000-0000-0000-00000000000b';
need_supabase();
my $node = new_supabase('supabase');
sub psql { return $node->safe_psql('postgres', @_) }
psql(qq{
	INSERT INTO agent_types (name, expires_in) VALUES ('without_route', NULL);
	INSERT INTO agent_types (name, max_requests) VALUES ('limited', 0);
	INSERT INTO agent_users (user_id, tier) VALUES ('$A', 'superadmin')});

sub run_clients
{
	start_supabase($node);
	my ($results, $errors) = run_node("$ENV{AQ_ROOT}/test/support/supabase/client.cjs");
	is($errors, '', 'the clients say nothing on standard error');
	stop_supabase();
	return JSON::PP::decode_json($results);
}

# ---- the clients

my $results = run_clients();

sub succeeds
{
	my ($name, $status) = @_;
	is($results->{$name}{status}, $status, "$name: HTTP $status");
	is($results->{$name}{error}, undef, "$name: no error");
	return $results->{$name}{data};
}

sub fails
{
	my ($name, $status, $code) = @_;
	is($results->{$name}{status}, $status, "$name: HTTP $status");
	is($results->{$name}{error}{code}, $code, "$name: $code");
	return $results->{$name}{error};
}

my $job = succeeds('insert', 201);
is($job->{user_id}, $A, 'an inserted job is the caller\'s');
is($job->{status}, 'pending', '… and waits for its worker');
is(succeeds('wait', 200)->{text}, 'inserted', 'wait_agent() returns the result');
is(succeeds('select', 200)->{status}, 'completed', 'a select shows it too');
like(succeeds('enqueue', 200), qr/^\d+$/, 'enqueue_agent() returns the id');
is(succeeds('wait_called', 200)->{text}, 'called', '… that can be waited for');
is(scalar @{ succeeds('enqueue_many', 200) }, 2, 'enqueue_agents() returns all ids');
is(scalar @{ succeeds('insert_many', 201) }, 2, 'two rows in one insert');
is(succeeds('insert_minimal', 201), undef, 'an insert without select returns nothing');

is(succeeds('others_row', 200), undef, 'another user\'s job is invisible');
fails('others_single', 406, 'PGRST116');
fails('others_wait', 500, 'P0002');
my $error = fails('for_another', 403, '42501');
like($error->{message}, qr/user_id is not the caller's/, '… with our message');
like($error->{hint}, qr/Leave user_id out/, '… and our hint');
fails('with_status', 403, '42501');
like(fails('unknown_type', 400, '42704')->{details}, qr/"echo"/, 'a misspelt type is answered with the names that there are');
like(fails('failed_job', 400, 'AQ005')->{details}, qr/"error_code": ?"configuration"/, 'a failed job is an error that says why');
fails('late_job', 400, 'AQ000');
succeeds('key', 201);
fails('key_again', 409, '23505');
fails('providers', 403, '42501');
$error = fails('too_many', 429, 'PT429');
is_deeply(JSON::PP::decode_json($error->{details}),
	{ agent_type => 'limited', limit => 0, window_seconds => 60, retry_after_seconds => undef }, '… and which limit, as JSON');
is($error->{hint}, 'No requests are accepted until the limit is raised.', '… and what to do');
is_deeply([ map { succeeds($_, 200) } 'check_first', 'check_second' ],
	[ JSON::PP::true, JSON::PP::false ], 'an application asks for a limit of its own');
fails('anon_select', 401, '42501');
fails('anon_enqueue', 401, '42501');
is(succeeds('service_insert', 201)->{user_id}, $B, 'the service enqueues for any user');
my %users = map { $_->{user_id} => 1 } @{ succeeds('service_select', 200) };
is_deeply([ sort keys %users ], [ $A, $B ], '… and sees them all');
%users = map { $_->{user_id} => 1 } @{ succeeds('costs', 200) };
is_deeply([ keys %users ], [$A], 'user_costs shows the own costs');

is($results->{followed}{result}{text}, 'followed', 'Realtime tells the end of a job, with its result');
is($results->{followed}{user_id}, $A, '… and whose it is');
is($results->{followed_by_id}{result}{text}, 'by id', 'a filter on the id lets it through');
ok($results->{only_one}, '… and nothing else');
is_deeply($results->{b_saw}, [$B], 'a subscriber without a filter hears of its own jobs only');

# ---- the change stream

# The tuples of pgoutput's UPDATE messages: columns by name; unchanged large values are missing.
sub pgoutput_updates
{
	my ($slot) = @_;
	my (%columns, @updates);
	foreach my $hex (split /\n/, psql(
			"SELECT encode(data, 'hex') FROM pg_logical_slot_get_binary_changes('$slot', NULL, NULL, 'proto_version', '1', 'publication_names', 'supabase_realtime')"))
	{
		my $message = pack 'H*', $hex;
		my $kind = substr $message, 0, 1, '';
		if ($kind eq 'R')
		{
			my ($relation, $schema, $table, $identity, $count, $rest) = unpack 'N Z* Z* a n a*', $message;
			while ($count-- > 0)
			{
				(my $is_key, my $name, undef, undef, $rest) = unpack 'C Z* N N a*', $rest;
				push @{ $columns{$relation} }, $name;
			}
		}
		next unless $kind eq 'U';
		my ($relation, $mark, $count, $rest) = unpack 'N a n a*', $message;
		die "an old tuple where there should be none: $mark" if $mark ne 'N';
		my %row;
		foreach my $name (@{ $columns{$relation} })
		{
			my $how = substr $rest, 0, 1, '';
			$row{$name} = undef if $how eq 'n';
			($row{$name}, $rest) = unpack 'N/a a*', $rest if $how eq 't';
		}
		push @updates, \%row;
	}
	return @updates;
}

sub wal2json_updates
{
	my ($slot) = @_;
	my @changes = map { JSON::PP::decode_json($_) } split /\n/,
	  psql("SELECT data FROM pg_logical_slot_get_changes('$slot', NULL, NULL, 'format-version', '2', 'include-pk', 'true', 'add-tables', 'public.agent_queue')");
	my @updates = grep { $_->{action} eq 'U' } @changes;
	is_deeply($_->{pk}, [ { name => 'id', type => 'bigint' } ], 'wal2json names the key') foreach $updates[-1];
	return map { +{ map { $_->{name} => $_->{value} } @{ $_->{columns} } } } @updates;
}

jobs_done($node, 'postgres', 'run_at < now()');
psql(qq{SELECT pg_create_logical_replication_slot('of_$_', '$_')}) foreach qw(wal2json pgoutput);
my $small = enqueue($node, 'postgres', 'echo', user_id => "'$A'");
wait_agent($node, 'postgres', $small);
# Too large for its page, also compressed; the answer that repeats it is new and thus in the record.
my $large = psql(qq{SELECT enqueue_agent('echo', jsonb_build_object('text', (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 1000) AS n)), user_id => '$A')});
wait_agent($node, 'postgres', $large);

foreach my $stream ([ 'wal2json', wal2json_updates('of_wal2json') ], [ 'pgoutput', pgoutput_updates('of_pgoutput') ])
{
	my ($name, @updates) = @$stream;
	my ($settled) = grep { $_->{id} == $small && $_->{status} eq 'completed' } @updates;
	ok($settled, "$name: the settle is an UPDATE with the id and the status");
	is($settled->{user_id}, $A, "$name: … and with the user, whom row-level security asks for");
	is(JSON::PP::decode_json($settled->{result})->{text}, 'Hello', "$name: … and with the result");
	is(JSON::PP::decode_json($settled->{request_data})->{text}, 'Hello', "$name: … and with the request");
	($settled) = grep { $_->{id} == $large && $_->{status} eq 'completed' } @updates;
	is(length JSON::PP::decode_json($settled->{result})->{text}, 32_000, "$name: a large result is in the record");
	ok(!exists $settled->{request_data}, "$name: a large request, which did not change, is not");
}
psql(qq{SELECT pg_drop_replication_slot('of_$_')}) foreach qw(wal2json pgoutput);

finish($node, allow => [
	qr/permission denied for (?:table|function)|user_id is not the caller's|does not exist|duplicate key|rate limit|has no (?:usable )?route|did not end within/ ]);
done_testing();
