// The lanes that this worker knows by name: one for each queue and agent type that jobs were put into. Those of the
// catalog (an agent type in its own queue) are known from the start. Others (a job put into another queue, an agent
// type that was deleted) appear in shared memory as numbers; what they are called, the jobs that wait in them say. One
// per worker. Plain C++ over shared memory; nothing here raises a Postgres error.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "pg/shared/lanes.hpp"

namespace agent_queue::pg {

struct LaneName {
  std::string queue;
  std::string agent_type;
};

struct KnownLane {
  LaneName name;
  shared::Lane lane;
  bool is_open = true;             // its queue is not paused
  std::optional<int> concurrency;  // of its queue
  bool is_waiting = false;         // has jobs, as the last sweep saw it
};

class LaneDirectory {
 public:
  explicit LaneDirectory(shared::DatabaseOid database) : database_(database) {}

  // Brings the lanes in line with the catalog, and takes note of those that shared memory has got meanwhile.
  void refresh(const std::shared_ptr<const Catalog> &catalog);

  // Something waits in a lane whose name is not known: note_waiting() has to be asked.
  bool has_offered_stranger() const;
  // Those lanes. Their bounds are the caller's to take before it looks for names.
  std::span<const shared::Lane> strangers() const { return strangers_; }

  // The lanes in which jobs wait now, all of them.
  void note_waiting(const std::vector<LaneName> &waiting);

  const std::vector<KnownLane> &lanes() const { return lanes_; }

 private:
  KnownLane &add(LaneName name);

  shared::DatabaseOid database_;
  std::shared_ptr<const Catalog> catalog_;
  std::vector<KnownLane> lanes_;
  std::vector<shared::Lane> strangers_;
  int seen_ = 0;  // lanes of shared memory below this index were looked at
};

}  // namespace agent_queue::pg
