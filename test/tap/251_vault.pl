# Keys in Supabase Vault, which Debian does not have: a schema of its shape takes its place. The extension's owner is
# no superuser, so that its rights on the view count.
use strict;
use warnings FATAL => 'all';

use AgentQueue;
use Digest::SHA qw(sha256_hex);
use PostgreSQL::Test::Utils;
use Test::More;

start_imposter();
my $node = new_cluster('vault', no_extension => 1);
sub psql { return $node->safe_psql('postgres', $_[0]) }

psql(q{CREATE ROLE keeper SUPERUSER LOGIN; CREATE ROLE planter LOGIN});
$node->safe_psql('postgres', 'CREATE EXTENSION agent_queue', extra_params => [ '-U', 'keeper' ]);
psql(q{
	ALTER ROLE keeper NOSUPERUSER;
	CREATE SCHEMA vault;
	CREATE TABLE vault.secrets (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text, description text, secret text,
		key_id uuid, nonce bytea, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now());
	CREATE VIEW vault.decrypted_secrets AS
		SELECT id, name, description, secret, reverse(secret) AS decrypted_secret, key_id, nonce, created_at, updated_at
		FROM vault.secrets;
	GRANT CREATE ON SCHEMA public TO keeper;
	GRANT USAGE ON SCHEMA vault TO keeper;
	GRANT SELECT ON vault.decrypted_secrets TO keeper});
wait_for_workers($node, 'postgres', 1);
$node->reload;    # the worker has begun while the owner was a superuser

sub store_secret
{
	my ($name, $secret) = @_;
	psql("DELETE FROM vault.secrets WHERE name = '$name'; "
		  . "INSERT INTO vault.secrets (name, secret) VALUES ('$name', reverse('$secret'))");
	return;
}

# One agent type a reference; $key: the one with which the imposter answers.
sub agent_with
{
	my ($name, $ref, $key) = @_;
	return [ $name, '/key/' . sha256_hex($key), provider => { api_key_ref => $ref } ];
}

sub outcome
{
	my ($agent_type) = @_;
	my $id = enqueue($node, 'postgres', $agent_type);
	jobs_done($node, 'postgres', "id = $id");
	return job($node, 'postgres', $id);
}

my ($first, $second) = ("$AgentQueue::KEY-first", "$AgentQueue::KEY-second");
store_secret('openai key', $first);
store_secret('empty', '');
psql(q{INSERT INTO vault.secrets (name, secret) VALUES ('twice', 'a'), ('twice', 'b')});
define_agent(
	$node, 'postgres',
	agent_with('good', 'vault:openai key', $first),
	agent_with('rotated', 'vault:openai key', $second),
	agent_with('wrong_name', 'vault:openai_key', $first),
	agent_with('quoting', q{vault:x' OR 'a' = 'a}, $first),
	agent_with('empty', 'vault:empty', $first),
	agent_with('twice', 'vault:twice', $first),
	agent_with('env', 'env:AQ_TEST_KEY', $AgentQueue::KEY));

sub refused
{
	my ($agent_type, $message, $what) = @_;
	my $job = outcome($agent_type);
	is("$job->{status} $job->{error_code} $job->{retry_count}", 'failed configuration 0', "$what: configuration");
	like($job->{error_message}, $message, "$what: says why");
	return;
}

# A change that is noticed at once.
sub change
{
	my ($sql) = @_;
	psql($sql);
	$node->reload;
	return;
}

is(outcome('good')->{status}, 'completed', 'the key reaches the provider, though no reference is allowed by allowed_key_refs');
refused('env', qr/"env:AQ_TEST_KEY" is not allowed/, 'an environment variable');

# ---- what is wrong

refused('wrong_name', qr/^provider "wrong_name": .*"vault:openai_key": there is no secret of this name in Vault$/, 'a wrong name');
refused('quoting', qr/there is no secret of this name/, 'a name with quotes');
refused('empty', qr/the key of .*"vault:empty" is empty/, 'an empty secret');
refused('twice', qr/more than one secret/, 'a name that is there twice');

# ---- rotation

store_secret('openai key', $second);
is(outcome('good')->{status}, 'completed', 'a changed secret is not read for each call');
my $job = outcome('rotated');
is("$job->{status} $job->{error_code}", 'failed provider_error', 'the old key is sent');
like($job->{error_message}, qr/wrong key: \[redacted\]/, 'and not repeated');
$node->reload;
is(outcome('rotated')->{status}, 'completed', 'after a reload the new key is sent');

SKIP:
{
	skip 'takes a minute', 1 unless $ENV{AQ_LONG_TESTS};
	store_secret('openai key', $first);
	my $begin = time;
	my $status = '';
	$status = outcome('good')->{status} while $status ne 'completed' && time - $begin < 70;
	is($status, 'completed', 'and after a minute without one');
	store_secret('openai key', $second);
	$node->reload;
}

# ---- rights

change('REVOKE SELECT ON vault.decrypted_secrets FROM keeper');
refused('rotated', qr/the extension's owner may not read vault.decrypted_secrets/, 'a view that the owner may not read');
change('GRANT SELECT ON vault.decrypted_secrets TO keeper; REVOKE USAGE ON SCHEMA vault FROM keeper');
refused('rotated', qr/the extension's owner may not read vault.decrypted_secrets/, 'a schema that the owner may not use');
change('GRANT USAGE ON SCHEMA vault TO keeper; ALTER VIEW vault.decrypted_secrets OWNER TO planter');
refused('rotated', qr/belongs neither to a superuser nor to the extension's owner/, 'a view of somebody else');
change('ALTER VIEW vault.decrypted_secrets OWNER TO keeper; ALTER SCHEMA vault OWNER TO planter');
refused('rotated', qr/belongs neither to a superuser nor to the extension's owner/, 'a schema of somebody else');
change('ALTER SCHEMA vault OWNER TO CURRENT_USER; GRANT SELECT ON vault.secrets TO keeper');
is(outcome('rotated')->{status}, 'completed', q{a view of the owner's});

# ---- a view that raises, and names the secret

change(q{
	DROP VIEW vault.decrypted_secrets;
	CREATE VIEW vault.decrypted_secrets AS SELECT name, reverse(secret)::int AS decrypted_secret FROM vault.secrets;
	GRANT SELECT ON vault.decrypted_secrets TO keeper});
refused('rotated', qr/reading it from Vault failed with SQLSTATE 22P02$/, 'a view that raises');
change('DROP SCHEMA vault CASCADE');
refused('rotated', qr/there is no view vault.decrypted_secrets in this database/, 'no Vault');

is(psql(q{SELECT count(*) FROM agent_queue AS q WHERE q::text LIKE '%SECRETSECRET%'}), 0, 'no key in any job');
finish($node);
done_testing();
