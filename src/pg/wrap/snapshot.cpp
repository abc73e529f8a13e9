#include "pg/wrap/snapshot.hpp"

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

LatestSnapshot::LatestSnapshot() {
  guard([] { PushActiveSnapshot(GetLatestSnapshot()); });
}

void LatestSnapshot::pop() {
  guard([] { PopActiveSnapshot(); });
}

}  // namespace agent_queue::pg
