// SpiJobStore: jobs whose time has come, and jobs that have followed an equal one.
#include <string>
#include <vector>

#include "pg/boundary/errors.hpp"
#include "pg/shared/workers.hpp"
#include "pg/store/spi_job_store.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

static constexpr int kPromoteTries = 16;  // in a row, to find the row that is in the way of the others

std::optional<WallTime> SpiJobStore::next_due() const {
  return answers_.has_followers_to_finish() ? WallTime{} : promoter_.next_due();
}

// Once after a start of the server, and whenever a lead has ended. nullopt: could not be done now.
std::optional<int> SpiJobStore::finish_followers(Now now) {
  std::vector<EndedJob> ended;
  int handled = 0;
  try {
    Transaction transaction;
    open(transaction, now);
    handled = answers_.finish_followers(now, ended);
    notifier_.notify(ended, now);
    transaction.commit();
  } catch (PgError &error) {
    answers_.on_abort();
    if (error.is_cancel_or_shutdown()) throw;
    if (failure_of(error, now).trouble != StoreTrouble::unstorable) return std::nullopt;
    log_.write(LogLevel::warning, std::string("jobs that wait for an equal one are left to wait: ") + error.what());
    answers_.give_up_followers();
    return 1;
  }
  wake_waiters(ended);
  answers_.on_followers_commit();
  return handled;
}

std::optional<int> SpiJobStore::promote_due(Now now) {
  int handled = 0;
  if (answers_.has_followers_to_finish()) {
    const std::optional<int> finished = finish_followers(now);
    if (!finished) return std::nullopt;
    handled = *finished;
  }
  const std::optional<int> promoted = promote_scheduled(now);
  return promoted ? std::optional(*promoted + handled) : std::nullopt;
}

std::optional<int> SpiJobStore::promote_scheduled(Now now) {
  if (!shared::begin_promotion(database_, slot_)) return 0;  // another worker is at it
  try {
    const std::optional<int> promoted = promote_alone(now);
    shared::end_promotion(database_, slot_);
    return promoted;
  } catch (...) {
    shared::end_promotion(database_, slot_);
    throw;
  }
}

std::optional<int> SpiJobStore::promote_alone(Now now) {
  const std::int64_t hinted = shared::take_due(database_);  // before looking: what comes meanwhile hints again
  for (int tries = 0; tries < kPromoteTries; ++tries) {
    try {
      Transaction transaction;
      open(transaction, now);
      promoter_.promote(*statements_, now);
      transaction.commit();
      return promoter_.on_commit();
    } catch (PgError &error) {
      if (error.is_cancel_or_shutdown()) {
        shared::offer_due(database_, hinted);
        throw;
      }
      const StoreFailure failure = failure_of(error, now);
      if (failure.trouble != StoreTrouble::unstorable || promoter_.found() == 0) break;
      promoter_.on_refusal(failure.message, now);
    }
  }
  shared::offer_due(database_, hinted);
  return std::nullopt;
}

}  // namespace agent_queue::pg
