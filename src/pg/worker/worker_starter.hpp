// Starts background workers and remembers what became of them. Regime: guarded C++. Used by the launcher alone.
#pragma once

#include <string>
#include <unordered_map>

#include "core/base/time.hpp"
#include "pg/shared/workers.hpp"
#include "ports/log.hpp"

struct BackgroundWorkerHandle;

namespace agent_queue::pg {

class WorkerStarter {
 public:
  explicit WorkerStarter(Log &log) : log_(log) {}

  // Frees the slots of workers that ended without having occupied theirs.
  void reap(Now now);

  // Starts workers until the database has `wanted`. A database whose workers end young is tried again after a while,
  // longer each time up to a minute.
  void fill(shared::DatabaseOid database, int wanted, Now now);

  // Sends a probe and waits for its end. False: it could not be started.
  bool probe(shared::DatabaseOid database, Now now);

 private:
  struct Started {
    BackgroundWorkerHandle *handle = nullptr;
    shared::DatabaseOid database = 0;
    SteadyTime at{};
  };
  struct Patience {
    Micros wait{0};
    SteadyTime next_start{};
  };

  BackgroundWorkerHandle *start(const char *function, const char *kind, std::uintptr_t argument, Now now);

  Log &log_;
  std::unordered_map<int, Started> started_;  // by slot
  std::unordered_map<shared::DatabaseOid, Patience> patience_;
  SteadyTime next_complaint_{};
};

}  // namespace agent_queue::pg
