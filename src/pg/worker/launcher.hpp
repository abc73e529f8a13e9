// The launcher: one process per cluster, attached to the shared catalogs only. It sends a short probe worker into each
// connectable database that is no template, one after the other, and keeps the wanted number of workers in those that
// have the extension. Regime: guarded C++. Tested in test/tap.
#pragma once

#include <cstdint>

namespace agent_queue::pg {

// In _PG_init, while preloading.
void register_launcher_process();

}  // namespace agent_queue::pg

extern "C" void aq_launcher_main(std::uintptr_t unused);
// Connects to one database, says in shared memory whether the extension is there, and ends.
extern "C" void aq_probe_main(std::uintptr_t database_oid);
