// Starts background workers and remembers what became of them. Regime: guarded C++. Used by the launcher alone.
#pragma once

#include <optional>
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

  // Takes note of workers and probes that have ended, and frees the slots that nobody has occupied or will.
  void reap(Now now);

  // Starts workers until the database has `wanted`. A database whose workers end young is tried again after a while,
  // longer each time up to a minute.
  void fill(shared::DatabaseOid database, int wanted, Now now);

  // Sends a probe, unless one is on its way: they go one after the other. A database where a probe comes to nothing is
  // tried again after a while, too.
  void probe(shared::DatabaseOid database, Now now);
  // Has a probe come to nothing there, so that the next one waits?
  bool is_probe_put_off(shared::DatabaseOid database, Now now) const;

  // When the first of those that wait for their next try may be tried; `latest` if that is earlier.
  SteadyTime next_try(Now now, SteadyTime latest) const;

  void forget(shared::DatabaseOid database);

 private:
  struct Started {
    BackgroundWorkerHandle *handle = nullptr;
    shared::DatabaseOid database = 0;
    SteadyTime at{};
    bool is_sent_away = false;  // a backend needed the database
  };
  struct Patience {
    Micros wait{0};
    SteadyTime next_try{};
    void lengthen(Now now);
  };
  using Patiences = std::unordered_map<shared::DatabaseOid, Patience>;

  bool reap_worker(int slot, Started &started, Now now);
  void reap_probe(Now now);
  void release_abandoned();
  bool has_unreaped(shared::DatabaseOid database, const shared::WorkerView *living, int count) const;
  BackgroundWorkerHandle *start(const char *function, const char *kind, std::uintptr_t argument, Now now);

  Log &log_;
  std::unordered_map<int, Started> started_;  // by slot
  std::optional<Started> probe_;
  Patiences patience_;
  Patiences probe_patience_;
  SteadyTime next_complaint_{};
};

}  // namespace agent_queue::pg
