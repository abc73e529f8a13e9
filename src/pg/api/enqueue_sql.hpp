// The statements of enqueue_agent() and enqueue_agents(). They run with the caller's rights, so a column is named only
// where it is used: a role may lack the right to the rest. Status is left out: admission sets it. Operators are
// qualified, because the caller's search_path holds. "@s@" is the extension's schema.
#pragma once

#include <string>

namespace agent_queue::pg::sql {

enum class Jobs { one, many };
enum class Retries { of_the_type, given };
enum class Key { none, given };

// $1 agent_type, $2 the request or the array of requests, $3 user_id, $4 priority, $5 queue, $6 run_at, $7 expires_at,
// $8 max_retries, $9 idempotency_key (of request number n of an array: with ':n' behind it)
inline std::string enqueue(Jobs jobs, Retries retries, Key key) {
  std::string columns = "agent_type, request_data, user_id, priority, queue, run_at, expires_at";
  std::string values = jobs == Jobs::one ? "$1, $2, $3, $4, $5, $6, $7" : "$1, r.request, $3, $4, $5, $6, $7";
  if (retries == Retries::given) {
    columns += ", max_retries";
    values += ", $8";
  }
  if (key == Key::given) {
    columns += ", idempotency_key";
    values += jobs == Jobs::one ? ", $9" : ", pg_catalog.concat($9, ':', r.n)";
  }
  std::string sql = "INSERT INTO @s@.agent_queue (" + columns + ") ";
  // The order of the requests is the order of the ids: the identity is drawn above the sort.
  sql += jobs == Jobs::one ? "VALUES (" + values + ")"
                           : "SELECT " + values +
                                 " FROM pg_catalog.unnest($2) WITH ORDINALITY AS r (request, n)"
                                 " ORDER BY r.n";
  if (key == Key::given) sql += " ON CONFLICT (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING";
  return sql + " RETURNING id::pg_catalog.int8";
}

// Whose keys: of one user or of the system (user_id is NULL). An index serves each, but not both at once.
enum class Whose { users, systems };

inline std::string owned_by(Whose whose) {
  return whose == Whose::users ? "q.user_id OPERATOR(pg_catalog.=) $1" : "q.user_id IS NULL AND $1 IS NULL";
}

// $1 user_id, $2 idempotency_key, $3 agent_type, $4 request
inline std::string find_same(Whose whose) {
  return "SELECT q.id::pg_catalog.int8, q.agent_type OPERATOR(pg_catalog.=) $3, q.request_data OPERATOR(pg_catalog.=) "
         "$4"
         "  FROM @s@.agent_queue AS q"
         " WHERE " +
         owned_by(whose) + " AND q.idempotency_key OPERATOR(pg_catalog.=) $2";
}

// The same for each request of an array, in its order; NULLs: there is no such job. $4 requests
inline std::string find_same_of_many(Whose whose) {
  return "SELECT q.id::pg_catalog.int8, q.agent_type OPERATOR(pg_catalog.=) $3, q.request_data OPERATOR(pg_catalog.=) "
         "r.request"
         "  FROM pg_catalog.unnest($4) WITH ORDINALITY AS r (request, n)"
         "  LEFT JOIN @s@.agent_queue AS q"
         "    ON " +
         owned_by(whose) +
         " AND q.idempotency_key OPERATOR(pg_catalog.=) pg_catalog.concat($2, ':', r.n)"
         " ORDER BY r.n";
}

}  // namespace agent_queue::pg::sql
