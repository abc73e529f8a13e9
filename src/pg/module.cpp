// The library's table of contents. POD only: _PG_init runs in the postmaster.
#include "pg/api/utility_hook.hpp"
#include "pg/shared/memory.hpp"
#include "pg/worker/launcher.hpp"
#include "pg/wrap/guc.hpp"

#include "pg/pg.hpp"

extern "C" {
PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void _PG_init(void) {
  if (!process_shared_preload_libraries_in_progress)
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("agent_queue must be loaded via shared_preload_libraries"),
                    errhint("Add agent_queue to shared_preload_libraries in postgresql.conf and restart the server.")));
  agent_queue::pg::settings::define();
  agent_queue::pg::shared::install_hooks({.rate_limit_megabytes = agent_queue::pg::settings::rate_memory_mb,
                                          .tracked_users = agent_queue::pg::settings::max_tracked_users});
  agent_queue::pg::install_utility_hook();
  if (!IsBinaryUpgrade) agent_queue::pg::register_launcher_process();
}
}
