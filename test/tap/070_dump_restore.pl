# pg_dump and restore, plain and custom, with jobs of every status, usage and changed configuration: the same rows come
# back, nothing runs by itself, and adopt_jobs() lets it run. So do rights, policies and the publication of Realtime.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use PostgreSQL::Test::Utils;
use Test::More;

start_imposter();
my $node = new_cluster('dump_restore', no_extension => 1, conf => "agent_queue.max_workers = 1\nagent_queue.upkeep_interval = 200ms\nwal_level = logical\n");
my $folder = PostgreSQL::Test::Utils::tempdir();
my @open;    # sessions

sub psql { return $node->safe_psql(@_) }

# A database with the extension in the schema, and a job of every status.
sub fill
{
	my ($database, $schema) = @_;
	psql('postgres', "CREATE DATABASE $database");
	psql('postgres', "ALTER DATABASE $database SET search_path = $schema, pg_catalog");
	psql($database, "CREATE SCHEMA IF NOT EXISTS $schema");
	create_extension($node, $database);
	psql($database, <<~'SQL');
		SELECT grant_agent_access('app');
		SELECT revoke_agent_access('service_role');
		GRANT SELECT ON agent_types TO app;
		CREATE PUBLICATION supabase_realtime;
		SQL
	is(psql($database, q{SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'agent_queue'}),
		$schema, "the extension is in schema $schema");
	define_agent($node, $database, [ 'hanging', '/hang/a' ], [ 'refused', '/status/400/a' ], [ 'fine', '/ok/a' ]);
	psql($database, <<~'SQL');
		INSERT INTO agent_queues (name, paused) VALUES ('parked', true);
		UPDATE agent_queues SET keep_for = '1 day' WHERE name = 'reports';
		UPDATE agent_providers SET requests_per_minute = 60 WHERE name = 'openai';
		UPDATE agent_tiers SET daily_requests = 200 WHERE name = 'free';
		INSERT INTO agent_tiers (name, weight) VALUES ('team', 200);
		INSERT INTO agent_users (user_id, tier) VALUES ('00000000-0000-0000-0000-000000000002', 'team');
		INSERT INTO agent_limits (tier, endpoint, max_requests) VALUES ('team', '*', 40), ('free', 'translate', 25);
		INSERT INTO agent_budgets (scope, daily_cost_usd, on_limit) VALUES ('all', 12.5, 'alert');
		INSERT INTO cache_types (type, ttl) VALUES ('summary', '3 days'), ('query', '1 day');
		INSERT INTO cache_versions (dependency, version) VALUES ('documents:1', 7);
		INSERT INTO cache_store (key, type, value, created_at, expires_at, kept_until, bytes)
		VALUES ('query:00', 'query', '1', now(), now() + interval '1 day', now() + interval '1 day', 100);
		INSERT INTO agent_models (provider, model, input_usd_per_mtok, output_usd_per_mtok) VALUES ('fine', 'imposter-1', 1, 2);
		SQL
	enqueue($node, $database, 'fine');
	enqueue($node, $database, 'refused', user_id => q{'00000000-0000-0000-0000-000000000001'}, idempotency_key => q{'key'});
	jobs_done($node, $database);
	# Of the usage a part is folded into the roll-up and a part is not: this transaction keeps the worker from it.
	ok($node->poll_query_until($database, 'SELECT agent_queue_folded_to() = 1'), 'usage is folded');
	push @open, $node->background_psql($database);
	$open[-1]->query_safe(q{BEGIN; SELECT nextval('api_usage_id_seq')});
	enqueue($node, $database, 'fine', count => 2, user_id => q{'00000000-0000-0000-0000-000000000001'});
	jobs_done($node, $database);
	is(psql($database, 'SELECT agent_queue_folded_to(), count(*), max(id) FROM api_usage'), '1|3|4', 'and usage that is not');
	psql($database, 'DELETE FROM agent_queue WHERE user_id IS NOT NULL AND status = $$completed$$');
	enqueue($node, $database, 'fine', delay => q{'1 hour'});
	enqueue($node, $database, 'fine', queue => q{'parked'});
	enqueue($node, $database, 'hanging');
	wait_in_flight($node, $database, 1);
	is(psql($database, q{SELECT string_agg(status, ' ' ORDER BY status) FROM agent_queue}),
		'completed failed pending processing scheduled', 'a job of every status');
	is(psql($database, q{SELECT count(*) FROM api_usage WHERE tableoid <> 'api_usage_default'::regclass}), 3, 'usage in a month');
	return;
}

# The rows of every table, without what belongs to the machinery.
sub contents
{
	my ($database) = @_;
	my @tables = map { "SELECT '$_' AS table, to_jsonb(t) AS row FROM $_ AS t" }
	  qw(agent_types agent_routes agent_providers agent_models agent_queues agent_tiers agent_users agent_limits agent_budgets
		cache_types cache_versions api_usage daily_costs);
	push @tables, q{SELECT 'agent_queue', to_jsonb(t) - '{claim,claim_key,hold_usd}'::text[] FROM agent_queue AS t};
	return psql($database, 'SELECT * FROM (' . join(' UNION ALL ', @tables) . ') AS every ORDER BY 1, 2::text');
}

# Rights, policies and publications, as text. Without the partition of the next month: where there is usage a worker
# makes it ahead, sooner or later.
sub rules
{
	my ($database) = @_;
	return psql($database, <<~'SQL');
		SELECT 'table', c.relname, c.relrowsecurity, a.grantee::regrole, a.privilege_type
		FROM pg_class AS c LEFT JOIN LATERAL aclexplode(c.relacl) AS a ON true
		WHERE c.relnamespace = (SELECT extnamespace FROM pg_extension WHERE extname = 'agent_queue') AND c.relkind IN ('r', 'p', 'v')
		  AND c.relname <> to_char(timezone('UTC', now()) + interval '1 month', '"api_usage_"YYYYMM')
		UNION ALL
		SELECT 'column', t.attname, NULL, a.grantee::regrole, a.privilege_type
		FROM pg_attribute AS t, aclexplode(t.attacl) AS a WHERE t.attrelid = 'agent_queue'::regclass
		UNION ALL
		SELECT 'function', p.proname, NULL, a.grantee::regrole, a.privilege_type
		FROM pg_proc AS p, aclexplode(p.proacl) AS a
		WHERE p.pronamespace = (SELECT extnamespace FROM pg_extension WHERE extname = 'agent_queue')
		UNION ALL
		SELECT 'policy', policyname, NULL, NULL, cmd || ' ' || roles::text || coalesce(qual, with_check) FROM pg_policies
		UNION ALL
		SELECT 'publication', pubname, NULL, NULL, tablename FROM pg_publication_tables
		ORDER BY 1, 2, 4, 5
		SQL
}

sub restore_plain
{
	my ($from, $to) = @_;
	$node->command_ok([ 'pg_dump', '-f', "$folder/$from.sql", '-d', $node->connstr($from) ], 'pg_dump, plain');
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-1', '-f', "$folder/$from.sql", '-d', $node->connstr($to) ],
		'restored in one transaction');
	return;
}

sub restore_custom
{
	my ($from, $to) = @_;
	$node->command_ok([ 'pg_dump', '-Fc', '-f', "$folder/$from.dump", '-d', $node->connstr($from) ], 'pg_dump, custom');
	$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr($to), "$folder/$from.dump" ], 'pg_restore');
	return;
}

sub round_trip
{
	my ($from, $to, $schema, $restore) = @_;
	my $before = contents($from);
	my $rules = rules($from);
	psql('postgres', "CREATE DATABASE $to");
	psql('postgres', "ALTER DATABASE $to SET search_path = $schema, pg_catalog");
	reset_calls();
	$restore->($from, $to);
	is(contents($to), $before, 'the same rows');
	is(rules($to), $rules, 'the same rights, policies and publication');
	is(psql($to, 'SELECT count(*) FROM cache_store'), 0, 'no cached answers');
	is(psql($to, 'SELECT count(claim_key), count(claim), count(hold_usd) FROM agent_queue'), '0|0|0', 'out of line');
	is(psql($to, q{SELECT count(*) FROM api_usage WHERE tableoid <> 'api_usage_default'::regclass}), 3, 'the month is a partition again');

	# A worker is there and works; what was restored stays as it is.
	wait_for_workers($node, $to, 1);
	my $new = enqueue($node, $to, 'fine');
	is(wait_agent($node, $to, $new), 'echo: Hello', 'a new job runs');
	is($new, psql($to, 'SELECT max(id) FROM agent_queue'), 'its id comes after the others');
	is(psql($to, qq{SELECT string_agg(status, ' ' ORDER BY status) FROM agent_queue WHERE id <> $new}),
		'completed failed pending processing scheduled', 'the restored ones do not run');
	is(scalar(calls_of('/')), 1, 'nor is anybody called for them');

	psql($to, q{
		UPDATE agent_queues SET paused = false WHERE name = 'parked';
		UPDATE agent_providers SET base_url = (SELECT base_url FROM agent_providers WHERE name = 'fine') WHERE name = 'hanging'});
	is(psql($to, 'SELECT adopt_jobs()'), 3, 'adopt_jobs() adopts those that are not finished');
	ok(jobs_done($node, $to, q{status <> 'scheduled'}), 'they run');
	is(psql($to, q{SELECT string_agg(status, ' ' ORDER BY status) FROM agent_queue}),
		'completed completed completed completed failed scheduled', 'but for the one whose time has not come');
	is(psql($to, 'SELECT count(*) - count(DISTINCT (queue_id, attempt)) FROM api_usage'), 0, 'accounted once');

	# Folding goes on where it stopped: what was folded is not folded again, what was not is.
	is(psql($to, 'SELECT count(*) - count(DISTINCT id) FROM api_usage'), 0, 'new usage has new ids');
	my $sums = 'SELECT sum(requests), sum(tokens_used), sum(cost_usd) FROM';
	my $of_rows = psql($to, 'SELECT count(*), sum(tokens_used), sum(cost_usd) FROM api_usage');
	is(psql($to, "$sums daily_costs"), $of_rows, 'no money is lost or counted twice');
	ok($node->poll_query_until($to, 'SELECT agent_queue_folded_to() >= max(id) FROM api_usage'), 'all is folded');
	is(psql($to, "$sums api_usage_rollup"), $of_rows, 'once');
	return;
}

psql('postgres', 'CREATE ROLE authenticated; CREATE ROLE service_role BYPASSRLS; CREATE ROLE app');
fill('original', 'public');
like(rules('original'), qr/^$_$/m, "there is: $_")
  foreach 'column\|queue\|\|app\|INSERT', 'table\|agent_queue\|t\|authenticated\|SELECT',
  'function\|wait_agent\|\|authenticated\|EXECUTE', 'publication\|supabase_realtime\|\|\|agent_queue';
unlike(rules('original'), qr/service_role/, 'what was revoked is not there');
round_trip('original', 'from_plain', 'public', \&restore_plain);
round_trip('original', 'from_custom', 'public', \&restore_custom);
fill('in_schema', 'aq');
round_trip('in_schema', 'from_schema', 'aq', \&restore_custom);

$_->quit foreach @open;
finish($node);
done_testing();
