// The secrets of a worker: vault:NAME from Supabase Vault, by a short transaction as the extension's owner, whose
// rights on the view decide; every other reference is passed on. Secrets are kept for a minute, errors for a second.
// Regime: guarded C++; outside a transaction.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/time.hpp"
#include "pg/wrap/spi.hpp"
#include "ports/log.hpp"
#include "ports/secrets.hpp"

namespace agent_queue::pg {

class PgSecrets final : public Secrets {
 public:
  // Both outlive this object.
  PgSecrets(Secrets &others, Log &log);
  ~PgSecrets() override { wipe_kept(); }

  Result<std::string> resolve(std::string_view api_key_ref) override;
  void forget() override;

 private:
  struct Kept {
    Result<std::string> secret;
    SteadyTime until;
  };

  Result<std::string> read(std::string_view api_key_ref);
  Result<std::string> read_in_transaction(std::string_view api_key_ref);
  void wipe_kept();

  Secrets &others_;
  Log &log_;
  KeptPlan secret_plan_;
  std::unordered_map<std::string, Kept> kept_;
};

}  // namespace agent_queue::pg
