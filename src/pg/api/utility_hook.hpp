// The ProcessUtility hook. A worker connected to a database would make DROP DATABASE, RENAME, SET TABLESPACE and
// CREATE DATABASE … TEMPLATE wait five seconds and then fail: its workers are stopped first and come back when the
// transaction has ended. A CREATE EXTENSION that brought ours is noted, so that the launcher hears of it at commit
// (workers see a DROP EXTENSION by themselves).
#pragma once

namespace agent_queue::pg {

// In _PG_init, while preloading.
void install_utility_hook();

}  // namespace agent_queue::pg
