# The owner of a database, who is no superuser, plants operators and functions in public that fit better than
# pg_catalog's. The superuser who installs the extension there runs none of them, and nothing of the extension refers to
# any afterwards.
use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use AgentQueue;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('planted', no_extension => 1);
$node->safe_psql('postgres', 'CREATE ROLE planter LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE garden OWNER planter');

# Operators: every comparison and every arithmetic between two of the types that pg_catalog leaves free. Functions: what
# the script calls with a literal of unknown type.
$node->safe_psql('garden', <<'SQL', extra_params => [ '-U', 'planter' ]);
CREATE TABLE public.caught (who text, what text);
CREATE FUNCTION public.spring(what text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    RAISE WARNING 'sprung: % as %', what, current_user;
    INSERT INTO public.caught VALUES (current_user, what);
END
$$;
GRANT ALL ON public.caught TO PUBLIC;
DO $$
DECLARE
    types text[] := '{oid,regclass,regproc,"\"char\"",name,text,varchar,int2,int4,int8,numeric,float8,bool,jsonb,jsonpath,timestamptz,interval,uuid}';
    operator text;
    lefts text;
    rights text;
    result text;
BEGIN
    FOREACH operator IN ARRAY '{=,<>,<,<=,>,>=,~,!~,-,+,*}'::text[] LOOP
        FOREACH lefts IN ARRAY types LOOP
            FOREACH rights IN ARRAY types LOOP
                CONTINUE WHEN EXISTS (SELECT FROM pg_operator AS o
                                      WHERE o.oprname = operator AND o.oprnamespace = 'pg_catalog'::regnamespace
                                        AND o.oprleft = lefts::regtype AND o.oprright = rights::regtype);
                result := CASE WHEN operator IN ('-', '+', '*') THEN lefts ELSE 'bool' END;
                IF to_regprocedure(format('public.trap_%s(%s,%s)', result = 'bool', lefts, rights)) IS NULL THEN
                    EXECUTE format('CREATE FUNCTION public.trap_%s(l %s, r %s) RETURNS %s LANGUAGE plpgsql AS %L',
                                   result = 'bool', lefts, rights, result,
                                   format('BEGIN PERFORM public.spring(%L); RETURN NULL; END',
                                          format('%s and %s', lefts, rights)));
                END IF;
                EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.trap_%s)',
                               operator, lefts, rights, result = 'bool');
            END LOOP;
        END LOOP;
    END LOOP;
END
$$;
CREATE FUNCTION public.jsonb_path_exists(j jsonb, t text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN PERFORM public.spring('jsonb_path_exists'); RETURN false; END $$;
CREATE FUNCTION public.pg_extension_config_dump(r text, t text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN PERFORM public.spring('pg_extension_config_dump'); END $$;
CREATE FUNCTION public.isfinite(t anyelement) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN PERFORM public.spring('isfinite'); RETURN true; END $$;
CREATE FUNCTION public.length(t varchar) RETURNS int LANGUAGE plpgsql AS $$
BEGIN PERFORM public.spring('length'); RETURN 1; END $$;
SQL

# The traps do work: this is what a careless script would run into.
my ($status, $out, $err) = $node->psql('garden', q{SELECT 'pg_class'::regclass::oid = 'pg_class'::regclass});
like($err, qr/sprung: oid and regclass/, 'a planted operator is found by who does not take care');
$node->safe_psql('garden', 'DELETE FROM caught');

($status, $out, $err) = $node->psql('garden', 'CREATE EXTENSION agent_queue SCHEMA public');
is($status, 0, 'the extension is installed');
unlike($err, qr/sprung/, 'without a word from the traps');
is($node->safe_psql('garden', 'SELECT string_agg(DISTINCT what, $$, $$) FROM caught'), '', 'no trap was sprung');

# Checks, defaults, index predicates, views and triggers keep the functions and operators that they were made with.
is($node->safe_psql('garden', <<'SQL'), '', 'nothing of the extension refers to a function or operator of the owner');
SET search_path = pg_catalog;
SELECT string_agg(DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) || ' uses '
                           || pg_describe_object(d.refclassid, d.refobjid, 0), '; ')
FROM pg_depend AS d
WHERE d.classid NOT IN ('pg_proc'::regclass, 'pg_operator'::regclass)
  AND (d.refclassid = 'pg_proc'::regclass
         AND d.refobjid IN (SELECT oid FROM pg_proc WHERE proowner = 'planter'::regrole)
       OR d.refclassid = 'pg_operator'::regclass
         AND d.refobjid IN (SELECT oid FROM pg_operator WHERE oprowner = 'planter'::regrole))
SQL

# And in use.
$node->safe_psql('garden', q{
	INSERT INTO agent_providers (name, headers) VALUES ('mine', '{"x-one": "1"}');
	UPDATE agent_providers SET enabled = false WHERE name = 'openai';
	INSERT INTO agent_models (provider, model, input_usd_per_mtok) VALUES ('mine', 'one', 1);
	SELECT * FROM queue_stats;
	SELECT * FROM user_costs;
	SELECT adopt_jobs();
	INSERT INTO agent_types (name) VALUES ('echo');
	INSERT INTO agent_routes (agent_type, provider, model) VALUES ('echo', 'echo', 'echo')});
is(wait_agent($node, 'garden', enqueue($node, 'garden', 'echo')), 'Hello', 'a job is done');
is($node->safe_psql('garden', 'SELECT string_agg(DISTINCT what, $$, $$) FROM caught'), '', 'and still no trap was sprung');

finish($node, allow => [qr/sprung: oid and regclass/]);
done_testing();
