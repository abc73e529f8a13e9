// How secrets are read from Supabase Vault, as the extension's owner. No locks beyond those of reading.
#pragma once

namespace agent_queue::pg::sql {

// What there is of Vault, before anything of it is run: no row, or whose it is and what the owner may. A view runs its
// functions with the rights of who reads it, and a schema of this name may be made by anybody who may make schemas: it
// is trusted where table and schema belong to a superuser or to the owner.
inline constexpr const char *kVaultState =
    "SELECT (SELECT pg_catalog.bool_and(r.rolsuper OR r.rolname = CURRENT_USER) FROM pg_catalog.pg_roles AS r "
    "WHERE r.oid = c.relowner OR r.oid = n.nspowner), "
    "pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') "
    "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
    "WHERE n.nspname = 'vault' AND c.relname = 'decrypted_secrets' AND c.relkind IN ('v', 'm', 'r')";

// $1: the secret's name. Two rows say that the name is ambiguous.
inline constexpr const char *kVaultSecret =
    "SELECT s.decrypted_secret::pg_catalog.text FROM vault.decrypted_secrets AS s "
    "WHERE s.name OPERATOR(pg_catalog.=) $1 LIMIT 2";

}  // namespace agent_queue::pg::sql
