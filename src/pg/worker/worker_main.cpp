#include "pg/worker/worker_main.hpp"

#include <memory>

#include "pg/boundary/entry.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/shared/ledger.hpp"
#include "pg/worker/session.hpp"
#include "pg/worker/worker.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

// Runs at every kind of exit, also after FATAL: plain code only.
static void on_exit(int, Datum slot) {
  shared::drop_holds();
  shared::leave_worker(DatumGetInt32(slot));
}

static void work(int slot) {
  const shared::DatabaseOid database = shared::worker_database(slot);
  guard([&] { before_shmem_exit(on_exit, Int32GetDatum(slot)); });
  guard([&] { BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0); });
  force_session_settings();
  const ClaimToken claim = shared::occupy_worker(slot);
  // On the heap and never destroyed on SIGTERM: closing thousands of connections one by one would hold up a shutdown.
  auto worker = std::make_unique<Worker>(slot, database, claim);
  worker->run();
}

}  // namespace agent_queue::pg

extern "C" PGDLLEXPORT void aq_worker_main(std::uintptr_t slot) {
  using namespace agent_queue::pg;
  const int index = DatumGetInt32(slot);
  enter([&index] {
    install_worker_signals();
    work(index);
  });
}
