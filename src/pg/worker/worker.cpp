#include "pg/worker/worker.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "pg/boundary/guard.hpp"
#include "pg/worker/pg_clock.hpp"
#include "pg/worker/session.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr Micros kLookInterval{std::chrono::seconds(1)};
constexpr Micros kLedgerWait{std::chrono::milliseconds(20)};      // for another worker that reads what was spent
constexpr int kTokenCalls = 8;                                    // calls for access tokens, beside those for jobs
constexpr Micros kLeisure{std::chrono::seconds(1)};               // without a job: then upkeep may take more time
constexpr Micros kUpkeepPatience{std::chrono::milliseconds(50)};  // then it comes before the jobs, once

std::unique_ptr<CurlTransport> make_transport() {
  Result<std::unique_ptr<CurlTransport>> made = CurlTransport::create({});
  if (!made) throw std::runtime_error("agent_queue: " + made.error().message);
  return std::move(*made);
}

std::string text_of(const char *setting) {
  return setting == nullptr ? std::string() : std::string(setting);
}

// env: and file: references must match allowed_key_refs when the extension's owner is no superuser.
bool is_owner_superuser() {
  Transaction transaction;
  const std::optional<Installation> where = find_installation();
  bool is_super = false;
  if (where) {
    const Oid owner = where->owner;
    is_super = guard([&] { return superuser_arg(owner); });
  }
  transaction.commit();
  return is_super;
}

}  // namespace

Worker::Worker(int slot, shared::DatabaseOid database, ClaimToken claim)
    : slot_(slot),
      database_(database),
      secrets_(keys_, log_),
      transport_(make_transport()),
      watched_transport_(*transport_),
      store_({database, slot}, claim, log_),
      ledger_(database, log_),
      engine_(store_, watched_transport_, secrets_, signer_, log_, options_),
      loop_(transport_->event_fd()),
      upkeep_(database, log_) {
  apply_settings();
}

void Worker::apply_settings() {
  options_.claim_batch = settings::claim_batch;
  options_.poll_interval = std::chrono::milliseconds(settings::poll_interval_ms);
  options_.max_in_flight = raise_descriptor_limit(settings::max_in_flight);
  if (options_.max_in_flight < settings::max_in_flight)
    log_.write(LogLevel::warning, "max_in_flight is lowered from " + std::to_string(settings::max_in_flight) + " to " +
                                      std::to_string(options_.max_in_flight) +
                                      ": the limit of open files (ulimit -n) allows no more");
  options_.is_claiming = !settings::start_paused && home_ == Home::here && !is_surplus_;
  options_.is_rescuing = home_ == Home::here;
  engine_.set_options(options_);

  TransferLimits limits;
  limits.max_response_bytes = static_cast<std::size_t>(settings::max_response_kb) << 10;
  transport_->set_limits(limits);
  transport_->set_max_connections(options_.max_in_flight + kTokenCalls);
  transport_->set_address_policy({.allow_plain_http = settings::allow_plain_http});
  Result<HostRules> hosts = HostRules::parse(text_of(settings::allowed_hosts));
  if (hosts)
    transport_->set_host_rules(std::move(*hosts));
  else  // a rule that cannot be read must not become "every host"
    log_.write(LogLevel::warning, "agent_queue.allowed_hosts stays as it was: " + hosts.error().message);
  const std::string refs = text_of(settings::allowed_key_refs);
  keys_.set_rules({.restrict_refs = !refs.empty() || !is_owner_superuser(), .allowed_key_refs = refs});
  secrets_.forget();
}

void Worker::reload_if_asked() {
  if (!ConfigReloadPending) return;
  ConfigReloadPending = false;
  guard([] { ProcessConfigFile(PGC_SIGHUP); });
  apply_settings();
}

// Once a second. An idle worker does nothing here but compare numbers in shared memory.
void Worker::look_around(Now now) {
  if (now.steady < next_look_) return;
  next_look_ = now.steady + kLookInterval;
  if (home_ != Home::here) look_for_home(now);

  shared::WorkerView workers[64];
  const int count = shared::list_workers(database_, workers, 64);
  const int rank = static_cast<int>(
      std::count_if(workers, workers + count, [&](const shared::WorkerView &worker) { return worker.slot < slot_; }));
  is_first_ = rank == 0;
  const int wanted = shared::find_database(database_).wanted_workers;
  const bool is_surplus = rank >= std::max(settings::min_workers, std::min(wanted, settings::max_workers));
  if (is_surplus != is_surplus_) {
    is_surplus_ = is_surplus;
    apply_settings();
  }
  if (options_.is_claiming) consider_scaling(count, rank, now);
}

// In a copied database nothing runs by itself: its jobs are the original's, and would be paid for twice.
void Worker::look_for_home(Now now) {
  if (shared::needs_disowning(database_)) {
    if (!store_.disown(now)) return;
    shared::note_disowned(database_);
  }
  const std::optional<bool> is_origin = store_.is_origin(now);
  if (!is_origin) return;
  if (!*is_origin && home_ == Home::unknown)
    log_.write(LogLevel::warning,
               "this database is a copy: no job runs here before SELECT adopt_jobs() says that they should");
  home_ = *is_origin ? Home::here : Home::elsewhere;
  apply_settings();
}

void Worker::consider_scaling(int workers_now, int rank, Now now) {
  const bool is_busy = engine_.in_flight() >= options_.max_in_flight / 2 || engine_.is_behind();
  if (!is_busy && workers_now <= settings::min_workers) return;
  const std::optional<Backlog> backlog = store_.backlog(now);
  if (!backlog) return;
  const int wanted =
      scaling_.wanted(*backlog, is_busy, workers_now, {settings::min_workers, settings::max_workers}, now.steady);
  // The first worker speaks for all when it comes to fewer; anyone may ask for more.
  if (wanted > workers_now || (rank == 0 && wanted < workers_now)) {
    shared::set_wanted_workers(database_, wanted);
    shared::call_launcher();
  }
}

// One slice of upkeep, if it is due and this worker's to do. Jobs come first, and while they leave no pause, upkeep
// still gets its small share. Nothing of it happens in a copy, or while the jobs are held by start_paused.
bool Worker::keep_up(const Pause &pause) {
  if (!is_first_ || !options_.is_claiming) return false;
  const Now now = read_clocks();
  // Between two answers of a provider that is quick there are moments without a call: they are no leisure.
  const std::uint64_t claimed = engine_.counters().claimed;
  if (engine_.in_flight() > 0 || engine_.has_unsettled() || claimed != claimed_seen_) last_work_ = now.steady;
  claimed_seen_ = claimed;
  const SteadyTime due = upkeep_.next();
  if (now.steady < (pause.run_again ? due + kUpkeepPatience : due)) return false;
  return upkeep_.run_due(now, now.steady - last_work_ < kLeisure ? Load::busy : Load::idle);
}

bool Worker::is_drained() const {
  return is_surplus_ && engine_.in_flight() == 0 && !engine_.has_unsettled() && !store_.has_followers();
}

void Worker::publish() {
  const EngineCounters &counters = engine_.counters();
  shared::publish_progress(slot_, {.in_flight = engine_.in_flight(),
                                   .claimed = counters.claimed,
                                   .settled = counters.settled,
                                   .rounds = counters.rounds,
                                   .rescued = counters.rescued,
                                   .store_failures = counters.store_failures});
  const bool is_working = engine_.in_flight() > 0 || engine_.has_unsettled();
  const shared::WorkerState resting = options_.is_claiming ? shared::WorkerState::idle : shared::WorkerState::paused;
  shared::set_worker_state(slot_, is_working ? shared::WorkerState::working : resting);
  is_reported_ = is_reported_ && !is_working;
}

void Worker::run() {
  while (true) {
    try {
      serve_interrupts();
      reload_if_asked();
      const Now now = read_clocks();
      look_around(now);
      if (store_.is_ledger_missing()) ledger_.forget();
      if (!ledger_.ensure(now)) {
        loop_.wait(kLedgerWait);
        continue;
      }
      const Pause pause = engine_.step(now);
      store_.write_alerts(now);
      publish();
      store_.fold_statistics(now);
      if (engine_.is_store_gone() || store_.is_gone()) {
        // Not "absent": it may have been created anew. A probe decides; the launcher is called when this process ends.
        shared::set_presence(database_, shared::Presence::unknown);
        return;
      }
      if (is_drained()) return;
      if (keep_up(pause) || pause.run_again) continue;

      Micros rest = pause.until - read_clocks().steady;
      if (is_first_ && options_.is_claiming) rest = std::min(rest, upkeep_.next() - read_clocks().steady);
      if (!is_reported_ && rest > std::chrono::milliseconds(100)) {
        guard_noexcept("report statistics", [] { pgstat_report_stat(true); });
        is_reported_ = true;
      }
      // Idle first, then one more look: a commit in between either sees the flag or is seen here.
      const bool is_idle = engine_.has_room();
      shared::set_idle(slot_, is_idle);
      const bool is_news = store_.work_hinted() && !pause.knows_of_work;
      if (!(is_idle && is_news)) loop_.wait(std::min<Micros>(rest, kLookInterval));
      shared::set_idle(slot_, false);
    } catch (const PgError &error) {
      // A cancel request ends the statement that ran, not the worker; what it was about comes again.
      if (error.sqlstate() != ERRCODE_QUERY_CANCELED) throw;
      log_.write(LogLevel::log, "a statement was cancelled");
    }
  }
}

}  // namespace agent_queue::pg
