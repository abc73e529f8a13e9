// What a worker process sets up for itself: signals, session settings, descriptors. Regime: guarded C++.
#pragma once

#include <string>

namespace agent_queue::pg {

// SIGTERM ends it, SIGHUP reloads; unblocks signals. First thing in a worker's main.
void install_worker_signals();

// ALTER DATABASE/ROLE … SET must not reach the worker: isolation, time-outs, search_path, planner switches are forced.
void force_session_settings();

// Raises the limit of descriptors to what `calls` need. Returns the number of calls that it really allows.
int raise_descriptor_limit(int calls);

}  // namespace agent_queue::pg
