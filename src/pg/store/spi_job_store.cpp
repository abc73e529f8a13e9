#include "pg/store/spi_job_store.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/shared/waiters.hpp"
#include "pg/shared/workers.hpp"
#include "pg/store/config_cache.hpp"
#include "pg/store/job_store_sql.hpp"
#include "pg/store/lost_attempts.hpp"
#include "pg/store/part_writer.hpp"
#include "pg/store/trouble.hpp"
#include "pg/store/whole_update.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/timestamps.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr Micros kAlertBackoff{std::chrono::seconds(1)};

}  // namespace

SpiJobStore::SpiJobStore(shared::WorkerSeat seat, ClaimToken claim, Log &log)
    : database_(seat.database),
      slot_(seat.slot),
      claim_(claim),
      log_(log),
      permits_(seat),
      budgets_(log),
      answers_(seat, claim),
      claimer_(seat, claim, permits_, budgets_, answers_),
      settler_(claim, answers_),
      cancels_(seat.slot, claim),
      promoter_(seat.database, log),
      partitions_(log),
      statistics_(log) {}

void SpiJobStore::open(Transaction &transaction, Now now) {
  const Installation &where = installation();
  if (statements_ == nullptr || statements_of_ != where.extension || statements_in_ != where.schema_quoted) {
    statements_ = std::make_unique<Statements>(where);
    statements_of_ = where.extension;
    statements_in_ = where.schema_quoted;
    partitions_.forget();
  }
  transaction.become(where.owner);
  config_loaded_ = catalog_generation();  // before loading: what changes meanwhile is a change that is yet to be seen
  const std::shared_ptr<const Catalog> before = std::exchange(catalog_, current_catalog());
  if (catalog_ != before) complain_of_bounds();
  budgets_.open({.database = database_, .extension = where.extension}, now);
  answers_.open(where);
}

// The claim's snapshot is younger than the configuration that it went by: a job that was enqueued after its queue was
// paused may be among the rows. Then the round is made again.
void SpiJobStore::check_config_is_current() const {
  guard([] { AcceptInvalidationMessages(); });
  if (catalog_generation() != config_loaded_)
    raise(sqlstate("40001"), {.message = "the configuration changed during a claim", .detail = {}, .hint = {}});
}

// The extension may be another one than a moment ago: what was spent under it is read before anything is claimed.
bool SpiJobStore::has_ledger() {
  is_ledger_missing_ = !shared::is_ledger_ready({.database = database_, .extension = statements_of_});
  return !is_ledger_missing_;
}

// A bound that cannot be counted must not be broken, and must not hold a queue up in silence either.
void SpiJobStore::complain_of_bounds() {
  for (const auto &[name, queue] : catalog_->queues)
    if (queue.concurrency && !permits_.has_room_for(name))
      log_.write(LogLevel::warning, "queue \"" + name + "\" is not served: more than " +
                                        std::to_string(shared::kBoundedQueuesMax) +
                                        " queues of this cluster have had a concurrency since the server was started");
}

RoundResult SpiJobStore::round(const Round &round, Now now) {
  ensure_partitions(round.settlements, now);
  RoundResult result;
  std::vector<EndedJob> ended;
  LaneClaimer::Sweep sweep = LaneClaimer::Sweep::offered;
  const std::uint64_t work_now =
      shared::work_generation(database_);  // before looking: what comes meanwhile hints again
  bool is_claiming = false;
  std::optional<WallTime> parked_until;
  try {
    Transaction transaction;
    open(transaction, now);
    if (!round.settlements.empty())
      result.report.fates = settler_.settle(*statements_, *catalog_, round.settlements, now, ended);
    release_permits(round.settlements, result.report.fates);
    remove_parts(*statements_, round.settlements, result.report.fates);
    forget_orphans(*statements_, round.settlements, result.report.fates, claim_);
    if (round.claim_limit > 0 && !has_ledger()) {
      result.report.more_waiting = true;
    } else if (round.claim_limit > 0) {
      is_claiming = true;
      sweep = choose_sweep(now);
      ClaimResult claim = claimer_.claim(*statements_, catalog_, round.claim_limit, sweep, now);
      is_claiming = false;
      if (!claim.claimed.empty()) check_config_is_current();
      ended.insert(ended.end(), claim.ended.begin(), claim.ended.end());
      result.report.claimed = std::move(claim.claimed);
      result.report.more_waiting = claim.more_waiting;
      parked_until = claim.parked_until;
    }
    notifier_.notify(ended, now);
    if (!round.parts.empty()) notifier_.notify_progress(write_parts(*statements_, round.parts, claim_), now);
    transaction.commit();
  } catch (PgError &error) {
    permits_.on_abort();
    budgets_.on_abort();
    answers_.on_abort();
    if (error.is_cancel_or_shutdown()) {
      claimer_.on_abort();
      throw;
    }
    StoreFailure failure = failure_of(error, now);
    if (is_claiming && failure.trouble == StoreTrouble::unstorable) set_aside(failure, now);
    claimer_.on_abort();
    return RoundResult{std::move(failure), {}};
  }
  wake_waiters(ended);  // first: they are all that anybody waits for
  answers_.on_commit(round.settlements, result.report.fates);
  claimer_.on_commit();
  budgets_.on_commit(round.settlements, result.report.fates);
  statistics_.note(round.settlements, result.report.fates);
  if (parked_until) promoter_.note_due(*parked_until);
  // Jobs of a queue that was full may be claimed now, by this worker or another.
  if (permits_.on_commit()) shared::announce_work(database_);
  if (round.claim_limit > 0) {
    work_seen_ = work_now;
    config_seen_ = config_loaded_;
    note_sweep(sweep, now);
  }
  for (std::size_t i = 0; i < result.report.fates.size(); ++i) {
    const Settlement &settlement = round.settlements[i];
    if (result.report.fates[i] == SettleFate::settled && settlement.outcome == Outcome::retry)
      promoter_.note_due(settlement.run_at);
  }
  guard_noexcept("report statistics", [] { pgstat_report_stat(false); });
  return result;
}

// A row that cannot be claimed (a user's trigger refuses the update) would hold up all others for ever. The engine
// claims fewer and fewer; when the one row stands alone, it is passed over for a while.
void SpiJobStore::set_aside(StoreFailure &failure, Now now) {
  const std::optional<JobId> job = claimer_.set_aside_single(now);
  if (!job) return;
  failure.message = "job " + std::to_string(job->value) + " cannot be claimed: " + failure.message;
  log_.write(LogLevel::warning, failure.message + "; it is passed over for a minute");
}

// All is looked through once per poll interval: what two-phase commits brought, what lost its lane. And after a change
// of the configuration, which may have opened lanes that nothing points to.
LaneClaimer::Sweep SpiJobStore::choose_sweep(Now now) {
  if (config_swept_ != catalog_generation()) return LaneClaimer::Sweep::open;
  const Micros interval = std::chrono::milliseconds(settings::poll_interval_ms);  // may have changed since
  const bool is_fresh = last_sweep_ && now.steady < *last_sweep_ + interval;
  return is_fresh ? LaneClaimer::Sweep::offered : LaneClaimer::Sweep::open;
}

void SpiJobStore::note_sweep(LaneClaimer::Sweep sweep, Now now) {
  if (sweep == LaneClaimer::Sweep::offered) return;
  last_sweep_ = now.steady;
  config_swept_ = config_seen_;
}

void SpiJobStore::release_permits(std::span<const Settlement> settlements, const std::vector<SettleFate> &fates) {
  for (std::size_t i = 0; i < fates.size(); ++i)
    if (fates[i] != SettleFate::kept) permits_.release(settlements[i].id);
}

void SpiJobStore::ensure_partitions(std::span<const Settlement> settlements, Now now) {
  for (const Settlement &settlement : settlements)
    if (settlement.usage) partitions_.ensure(settlement.usage->started_at, now);
}

void SpiJobStore::wake_waiters(const std::vector<EndedJob> &ended) const {
  for (const EndedJob &job : ended) shared::wake_waiters(database_, job.id);
}

std::optional<std::vector<ClaimedJob>> SpiJobStore::rescue(Now now) {
  const std::uint64_t seen = shared::rescue_generation(database_);
  std::vector<ClaimedJob> lost;
  bool is_any_dead = false;
  try {
    Transaction transaction;
    open(transaction, now);
    const std::vector<ClaimToken> dead = find_dead(*statements_);
    is_any_dead = !dead.empty();
    if (is_any_dead) {
      for (LostAttempt &attempt : take_over(*statements_, dead, claim_, kRescueBatch)) {
        budgets_.adopt(attempt.job, attempt.hold);
        answers_.adopt(*catalog_, attempt.job, attempt.cache_key, now);
        lost.push_back(std::move(attempt.job));
      }
      remove_parts(*statements_, lost);
    } else {
      statements_->sweep_parts.run(nullptr, nullptr, KeptPlan::Mode::read_write);
    }
    transaction.commit();
  } catch (PgError &error) {
    budgets_.on_abort();
    answers_.on_abort();
    if (error.is_cancel_or_shutdown()) throw;
    failure_of(error, now);
    return std::nullopt;
  }
  budgets_.on_commit({}, {});
  answers_.on_commit({}, {});
  // Rows of the dead may have been passed over, locked by others: only a look that finds none ends the search.
  if (!is_any_dead) rescue_seen_ = seen;
  return lost;
}

void SpiJobStore::write_alerts(Now now) {
  if (now.steady < next_alerts_ || budgets_.alerts().empty()) return;
  const std::vector<shared::Alert> &due = budgets_.alerts();
  const std::span<const shared::Alert> batch(due.data(), std::min<std::size_t>(due.size(), alert_limit_.value()));
  try {
    Transaction transaction;
    open(transaction, now);
    alert_writer_.write(batch, *current_payers(), installation());
    transaction.commit();
    alert_limit_.succeeded();
    budgets_.accept_alerts(batch.size());
  } catch (PgError &error) {
    if (error.is_cancel_or_shutdown()) throw;
    next_alerts_ = now.steady + kAlertBackoff;
    const StoreFailure failure = failure_of(error, now);
    if (failure.trouble != StoreTrouble::unstorable) return;
    alert_limit_.refused(static_cast<int>(batch.size()));
    if (batch.size() > 1) return;
    log_.write(LogLevel::warning, "an alert cannot be written and is left out: " + failure.message);
    budgets_.accept_alerts(1);
  }
}

bool SpiJobStore::work_hinted() {
  return shared::work_generation(database_) != work_seen_ || catalog_generation() != config_seen_;
}

bool SpiJobStore::rescue_hinted() {
  return shared::rescue_generation(database_) != rescue_seen_;
}

std::vector<std::size_t> SpiJobStore::take_cancelled(std::span<const AttemptId> calls, Now now) {
  std::vector<std::size_t> places;
  if (cancels_.take(calls, places)) return places;
  try {
    Transaction transaction;
    open(transaction, now);
    std::vector<std::size_t> lost = cancels_.find_lost(*statements_, calls);
    transaction.commit();
    return lost;
  } catch (PgError &error) {
    if (error.is_cancel_or_shutdown()) throw;
    failure_of(error, now);
    return places;
  }
}

bool SpiJobStore::look_whether_gone() {
  try {
    Transaction transaction;
    const bool is_there = find_installation().has_value();
    transaction.commit();
    return !is_there;
  } catch (PgError &error) {
    if (error.is_cancel_or_shutdown()) throw;
    return false;
  }
}

StoreFailure SpiJobStore::failure_of(PgError &error, Now now) {
  const int state = error.sqlstate();
  StoreFailure failure{StoreTrouble::busy, error.what()};
  if (state == ERRCODE_UNDEFINED_TABLE || state == ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE ||
      state == ERRCODE_UNDEFINED_SCHEMA) {
    is_gone_ = look_whether_gone();
    if (is_gone_) failure.trouble = StoreTrouble::gone;
    return failure;
  }
  if (state == ERRCODE_PROGRAM_LIMIT_EXCEEDED && failure.message.find("NOTIFY") != std::string::npos) {
    notifier_.on_queue_full(now);
    return failure;
  }
  if (state == ERRCODE_LOCK_NOT_AVAILABLE)
    failure.trouble = StoreTrouble::blocked;
  else if (!is_passing_trouble(state))
    failure.trouble = StoreTrouble::unstorable;
  log_.write(LogLevel::debug, "a transaction failed: " + failure.message);
  return failure;
}

std::optional<Backlog> SpiJobStore::backlog(Now now) {
  try {
    Transaction transaction;
    open(transaction, now);
    DatumValue values[] = {Int32GetDatum(kBacklogCountMax)};
    statements_->backlog.run(values, nullptr, KeptPlan::Mode::read_only);
    const NumberPair row = read_number_pair();
    transaction.commit();
    Backlog backlog;
    backlog.waiting = static_cast<int>(row.first.value_or(0));
    if (row.second) backlog.oldest_wait = now.wall - to_wall(*row.second);
    return backlog;
  } catch (PgError &error) {
    if (error.is_cancel_or_shutdown()) throw;
    failure_of(error, now);
    return std::nullopt;
  }
}

std::optional<bool> SpiJobStore::is_origin(Now now) {
  try {
    Transaction transaction;
    const Installation where = installation();
    transaction.become(where.owner);  // the owner controls what stands behind the table's name
    const std::vector<TextRow> rows = query_rows(render_sql(sql::kIsOrigin, where));
    transaction.commit();
    return !rows.empty() && rows[0][0] == "t";
  } catch (PgError &error) {
    if (error.is_cancel_or_shutdown()) throw;
    failure_of(error, now);
    return std::nullopt;
  }
}

bool SpiJobStore::disown(Now now) {
  try {
    Transaction transaction;
    open(transaction, now);
    execute_sql(render_sql(sql::kDisown, installation()));
    transaction.commit();
    return true;
  } catch (PgError &error) {
    if (error.is_cancel_or_shutdown()) throw;
    failure_of(error, now);
    return false;
  }
}

}  // namespace agent_queue::pg
