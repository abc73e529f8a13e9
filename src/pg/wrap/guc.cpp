// POD only: called from _PG_init, outside any door.
#include "pg/wrap/guc.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg::settings {

int min_workers = 1;
int max_workers = 2;
int max_in_flight = 1000;
int claim_batch = 200;
int poll_interval_ms = 2000;
int upkeep_interval_ms = 60000;
int keep_usage_months = 0;
int notify = static_cast<int>(Notify::ids);
int max_request_kb = 1024;
int max_response_kb = 16 * 1024;
bool start_paused = false;
bool allow_plain_http = false;
char *user_id = nullptr;
char *allowed_hosts = nullptr;
char *allowed_key_refs = nullptr;
char *budget_time_zone = nullptr;
int rate_memory_mb = 16;
int max_tracked_users = 100000;
int cache_max_entries = 1000000;
int cache_max_mb = 1024;
int cache_max_value_kb = 1024;

static const config_enum_entry kNotifyModes[] = {{"off", static_cast<int>(Notify::off), false},
                                                 {"ids", static_cast<int>(Notify::ids), false},
                                                 {"full", static_cast<int>(Notify::full), false},
                                                 {nullptr, 0, false}};

static void define_int(const char *name, const char *what, const char *more, int *value, int low, int high,
                       GucContext context, int flags) {
  DefineCustomIntVariable(name, what, more, value, *value, low, high, context, flags, nullptr, nullptr, nullptr);
}

static void define_bool(const char *name, const char *what, const char *more, bool *value, GucContext context) {
  DefineCustomBoolVariable(name, what, more, value, *value, context, 0, nullptr, nullptr, nullptr);
}

static void define_string(const char *name, const char *what, const char *more, char **value, GucContext context,
                          int flags) {
  DefineCustomStringVariable(name, what, more, value, "", context, flags, nullptr, nullptr, nullptr);
}

// POD only, as hooks are.
static bool check_time_zone(char **name, void **, GucSource) {
  const pg_tz *zone = pg_tzset(*name);
  if (zone != nullptr && pg_tz_acceptable(const_cast<pg_tz *>(zone))) return true;
  GUC_check_errdetail("There is no such time zone; pg_timezone_names lists those that are known.");
  return false;
}

void define() {
  define_int("agent_queue.min_workers", "Workers that a database with the extension always has.", nullptr, &min_workers,
             1, 16, PGC_SIGHUP, 0);
  define_int("agent_queue.max_workers", "Workers that a database may have under load.",
             "Each takes one of max_worker_processes.", &max_workers, 1, 16, PGC_SIGHUP, 0);
  define_int("agent_queue.max_in_flight", "Calls that one worker makes at the same time.",
             "Lowered to what the limit of file descriptors allows, with a line in the log.", &max_in_flight, 1, 20000,
             PGC_SIGHUP, 0);
  define_int("agent_queue.claim_batch", "Jobs that one transaction claims at most.", nullptr, &claim_batch, 1, 1000,
             PGC_SIGHUP, 0);
  define_int("agent_queue.poll_interval", "How often a worker looks for jobs without being woken.",
             "The safety net: commits wake workers at once.", &poll_interval_ms, 100, 60000, PGC_SIGHUP, GUC_UNIT_MS);
  define_int("agent_queue.upkeep_interval", "How often finished jobs and partitions are looked after.",
             "Waiting jobs that may have expired: every five seconds, or at this interval if it is shorter.",
             &upkeep_interval_ms, 100, 60 * 60 * 1000, PGC_SIGHUP, GUC_UNIT_MS);
  define_int("agent_queue.keep_usage_months", "Months of api_usage that are kept besides the present one.",
             "0: all of them. What is older is dropped; user_costs and its kin keep the sums.", &keep_usage_months, 0,
             1200, PGC_SIGHUP, 0);
  DefineCustomEnumVariable("agent_queue.notify", "What a settled job sends on the channel agent_queue.",
                           "off: nothing; ids: its id and status; full: also its result.", &notify, notify,
                           kNotifyModes, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  define_int("agent_queue.max_request_size", "The largest request_data that is accepted.", nullptr, &max_request_kb, 1,
             64 * 1024, PGC_SUSET, GUC_UNIT_KB);
  define_int("agent_queue.max_response_size", "The largest answer that is read from a provider.", nullptr,
             &max_response_kb, 16, 256 * 1024, PGC_SIGHUP, GUC_UNIT_KB);
  define_bool("agent_queue.start_paused", "While on, workers claim no jobs.",
              "Calls in flight are finished and stored.", &start_paused, PGC_SIGHUP);
  define_bool("agent_queue.allow_plain_http", "Allows http:// beyond the loopback interface.",
              "Keys and prompts travel unencrypted.", &allow_plain_http, PGC_SIGHUP);
  define_string("agent_queue.user_id", "The user that this session enqueues for (a uuid).",
                "The \"sub\" of request.jwt.claims comes first.", &user_id, PGC_USERSET, 0);
  define_string("agent_queue.allowed_hosts", "Hosts that providers may have: a list such as 'api.openai.com, *.x.ai'.",
                "Empty: every host.", &allowed_hosts, PGC_SIGHUP, GUC_LIST_INPUT);
  define_string("agent_queue.allowed_key_refs",
                "Key references that providers may use: a list such as 'env:OPENAI_*, file:/etc/keys/*'.",
                "Empty: all of them if the extension's owner is a superuser, else none.", &allowed_key_refs, PGC_SIGHUP,
                GUC_LIST_INPUT | GUC_SUPERUSER_ONLY);
  DefineCustomStringVariable("agent_queue.budget_time_zone", "The time zone in which days and months of budgets begin.",
                             "A change holds from the end of the running day on.", &budget_time_zone, "UTC", PGC_SIGHUP,
                             0, check_time_zone, nullptr, nullptr);
  define_int("agent_queue.rate_limit_memory", "Shared memory for the windows of rate limits.",
             "A window of up to 10 requests takes 256 bytes, the largest one 16 kB. Where all of them are in use, "
             "requests that need another one are refused.",
             &rate_memory_mb, 1, 1024, PGC_POSTMASTER, GUC_UNIT_MB);
  define_int("agent_queue.max_tracked_users", "Users whose requests and money of a day and month can be counted.",
             "Fixed shared memory, about 200 bytes each. Users beyond it wait, rather than exceed a budget.",
             &max_tracked_users, 1000, 10000000, PGC_POSTMASTER, 0);
  define_int("agent_queue.cache_max_entries", "How many entries the response cache keeps.",
             "Above that, those that nobody has asked for lately are deleted.", &cache_max_entries, 100, INT_MAX,
             PGC_SIGHUP, 0);
  define_int("agent_queue.cache_max_size", "How much the response cache keeps.", nullptr, &cache_max_mb, 1, 1024 * 1024,
             PGC_SIGHUP, GUC_UNIT_MB);
  define_int("agent_queue.cache_max_value_size", "The largest value that the response cache takes.", nullptr,
             &cache_max_value_kb, 1, 64 * 1024, PGC_SUSET, GUC_UNIT_KB);
  MarkGUCPrefixReserved("agent_queue");
}

}  // namespace agent_queue::pg::settings
