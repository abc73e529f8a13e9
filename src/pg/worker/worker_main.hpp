// A worker: one event loop in one process, connected to one database. Started by the launcher with its slot in shared
// memory as the argument.
//
//   connect → settings → engine over (SpiJobStore, CurlTransport, KeyReader) → step, wait, step, …
//
// Nothing is written at shutdown: what was in flight is recovered by whoever comes next, as after a crash.
// Tested in test/tap.
#pragma once

#include <cstdint>

extern "C" void aq_worker_main(std::uintptr_t slot);
