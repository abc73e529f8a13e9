// The knobs. Each is a GUC with default, minimum and maximum; docs/guide/operate.md lists them. Values are read
// directly: Postgres writes them at reload. What could send data or secrets elsewhere is superuser-only.
#pragma once

namespace agent_queue::pg::settings {

enum class Notify { off, ids, full };

extern int min_workers;         // per database
extern int max_workers;         // per database
extern int max_in_flight;       // calls at the same time, per worker
extern int claim_batch;         // jobs claimed by one transaction at most
extern int poll_interval_ms;    // the safety net
extern int upkeep_interval_ms;  // from the begin of one pass of upkeep to that of the next
extern int keep_usage_months;   // of api_usage beside the present one; 0: all
extern int notify;              // settings::Notify
extern int max_request_kb;      // of request_data as jsonb
extern int max_response_kb;     // of a provider's answer
extern bool start_paused;       // claim nothing while on
extern bool allow_plain_http;   // http:// beyond loopback
extern char *user_id;           // the caller's identity where there is no request.jwt.claims
extern char *allowed_hosts;     // comma separated patterns; empty: every host
extern char *allowed_key_refs;  // comma separated patterns
extern char *budget_time_zone;  // days and months of budgets begin there
extern int rate_memory_mb;      // of the rate limiter, in the cluster
extern int max_tracked_users;   // of the ledger, in the cluster
extern int cache_max_entries;   // of the response cache
extern int cache_max_mb;        // of the response cache
extern int cache_max_value_kb;  // of a value of cache_set()

inline Notify notify_mode() {
  return static_cast<Notify>(notify);
}

// In _PG_init only.
void define();

}  // namespace agent_queue::pg::settings
