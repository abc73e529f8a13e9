// The worker's parts and its loop. Regime: guarded C++.
#pragma once

#include <memory>

#include "engine/engine.hpp"
#include "engine/scaling.hpp"
#include "net/curl_transport.hpp"
#include "net/key_reader.hpp"
#include "net/rsa_signer.hpp"
#include "pg/shared/workers.hpp"
#include "pg/store/ledger_loader.hpp"
#include "pg/store/pg_secrets.hpp"
#include "pg/store/spi_job_store.hpp"
#include "pg/worker/event_loop.hpp"
#include "pg/worker/pg_log.hpp"
#include "pg/worker/transaction_watch.hpp"
#include "pg/worker/upkeep.hpp"

namespace agent_queue::pg {

class Worker {
 public:
  // Connected to the database already. Throws PgError or std::runtime_error when it cannot work here.
  Worker(int slot, shared::DatabaseOid database, ClaimToken claim);

  // Until the extension is gone, or there is one worker too many and this one has finished. SIGTERM ends the process
  // from within.
  void run();

 private:
  void apply_settings();
  void reload_if_asked();
  void look_around(Now now);
  void look_for_home(Now now);
  void consider_scaling(int workers_now, int rank, Now now);
  bool keep_up(const Pause &pause);
  bool is_drained() const;
  void publish();

  int slot_;
  shared::DatabaseOid database_;
  PgLog log_;
  KeyReader keys_;
  PgSecrets secrets_;  // those of Vault, and keys_
  RsaSigner signer_;
  std::unique_ptr<CurlTransport> transport_;
  TransactionWatch watched_transport_;
  SpiJobStore store_;
  LedgerLoader ledger_;
  EngineOptions options_;
  Engine engine_;
  EventLoop loop_;
  Scaling scaling_;
  Upkeep upkeep_;
  // Is this the database that the extension was created in, or a copy of it (paused until adopt_jobs())?
  enum class Home { unknown, here, elsewhere };
  Home home_ = Home::unknown;
  bool is_first_ = false;    // of the workers of this database: the one that does upkeep
  bool is_surplus_ = false;  // finishes what it has and ends
  bool is_reported_ = true;  // statistics of the last work were sent
  SteadyTime next_look_{};
  SteadyTime last_work_{};  // when upkeep last saw jobs
  std::uint64_t claimed_seen_ = 0;
};

}  // namespace agent_queue::pg
