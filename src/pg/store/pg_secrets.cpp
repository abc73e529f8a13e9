#include "pg/store/pg_secrets.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include "core/credential/key_text.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/vault_sql.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr std::string_view kVault = "vault:";
constexpr Micros kSecretAgeMax{std::chrono::seconds(60)};
constexpr Micros kErrorAgeMax{std::chrono::seconds(1)};  // jobs come by the hundred
constexpr std::size_t kKeptMax = 1024;

SteadyTime steady_now() {
  return std::chrono::floor<Micros>(std::chrono::steady_clock::now());
}

Error refuse(ErrorKind kind, std::string_view ref, const char *why, const char *hint) {
  return {kind, quoted_key_ref(ref) + ": " + why, hint};
}

std::optional<Error> judge_vault(std::string_view ref) {
  const std::vector<TextRow> rows = query_rows(sql::kVaultState);
  if (rows.empty())
    return refuse(ErrorKind::not_found, ref, "there is no view vault.decrypted_secrets in this database",
                  "Install Supabase Vault: CREATE EXTENSION supabase_vault.");
  if (rows[0][0] != "t")
    return refuse(ErrorKind::not_allowed, ref,
                  "vault.decrypted_secrets belongs neither to a superuser nor to the extension's owner",
                  "Whoever owns a view chooses what is run by reading it.");
  if (rows[0][1] != "t")
    return refuse(ErrorKind::not_allowed, ref, "the extension's owner may not read vault.decrypted_secrets",
                  "Grant USAGE on schema vault and SELECT on the view to the extension's owner.");
  return std::nullopt;
}

// POD: what the statement gave; in SPI's memory.
struct RawSecret {
  uint64 rows;
  const char *text;  // UTF-8; null: NULL
};

bool is_passing(int state) {
  switch (ERRCODE_TO_CATEGORY(state)) {
    case ERRCODE_TRANSACTION_ROLLBACK:
    case ERRCODE_INSUFFICIENT_RESOURCES:
    case ERRCODE_OPERATOR_INTERVENTION:
      return true;
    default:
      return state == ERRCODE_LOCK_NOT_AVAILABLE;
  }
}

}  // namespace

// POD only.
static Datum name_datum(const char *utf8, int size) {
  return CStringGetTextDatum(pg_any_to_server(pnstrdup(utf8, size), size, PG_UTF8));
}

static RawSecret read_row() {
  RawSecret raw = {SPI_processed, nullptr};
  if (raw.rows == 1) raw.text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
  if (raw.text != nullptr) raw.text = pg_server_to_any(raw.text, static_cast<int>(strlen(raw.text)), PG_UTF8);
  return raw;
}

PgSecrets::PgSecrets(Secrets &others, Log &log)
    : others_(others), log_(log), secret_plan_(sql::kVaultSecret, {TEXTOID}) {}

void PgSecrets::wipe_kept() {
  for (auto &[ref, kept] : kept_)
    if (kept.secret) wipe(*kept.secret);
  kept_.clear();
}

void PgSecrets::forget() {
  wipe_kept();
  others_.forget();
}

Result<std::string> PgSecrets::resolve(std::string_view api_key_ref) {
  if (!api_key_ref.starts_with(kVault)) return others_.resolve(api_key_ref);
  const SteadyTime now = steady_now();
  std::string ref(api_key_ref);
  if (const auto kept = kept_.find(ref); kept != kept_.end()) {
    if (now < kept->second.until) return kept->second.secret;
    if (kept->second.secret) wipe(*kept->second.secret);
    kept_.erase(kept);
  }
  Result<std::string> secret = read(api_key_ref);
  if (kept_.size() >= kKeptMax) wipe_kept();
  kept_.insert_or_assign(std::move(ref), Kept{secret, now + (secret ? kSecretAgeMax : kErrorAgeMax)});
  return secret;
}

// A cancel ends here: passed on, it would take claimed jobs with it. The job whose key was read is tried again. What
// the view raised is not repeated, because it may quote the secret; a shutdown ends the process from within.
Result<std::string> PgSecrets::read(std::string_view api_key_ref) {
  try {
    return read_in_transaction(api_key_ref);
  } catch (const PgError &error) {
    const int state = error.sqlstate();
    const std::string message =
        quoted_key_ref(api_key_ref) + ": reading it from Vault failed with SQLSTATE " + unpack_sql_state(state);
    log_.write(LogLevel::debug, message);
    return Error{is_passing(state) ? ErrorKind::busy : ErrorKind::unavailable, message,
                 "Run the query on vault.decrypted_secrets as the extension's owner."};
  }
}

Result<std::string> PgSecrets::read_in_transaction(std::string_view api_key_ref) {
  Transaction transaction;
  transaction.become(installation().owner);
  if (std::optional<Error> error = judge_vault(api_key_ref)) {
    transaction.commit();
    return *error;
  }
  const std::string_view name = api_key_ref.substr(kVault.size());
  const char *bytes = name.data();
  const int size = static_cast<int>(name.size());
  DatumValue value[] = {guard([&] { return name_datum(bytes, size); })};
  secret_plan_.run(value, nullptr, KeptPlan::Mode::read_only);
  const RawSecret raw = guard(read_row);
  std::string secret = raw.text == nullptr ? std::string() : std::string(raw.text);
  transaction.commit();
  if (raw.rows == 0)
    return refuse(ErrorKind::not_found, api_key_ref, "there is no secret of this name in Vault",
                  "SELECT vault.create_secret('the key', 'the name').");
  if (raw.rows > 1)
    return refuse(ErrorKind::invalid_input, api_key_ref, "more than one secret in Vault has this name", "");
  return checked_key(std::move(secret), api_key_ref);
}

}  // namespace agent_queue::pg
