#include "pg/wrap/transaction.hpp"

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

static void begin(bool with_spi) {
  SetCurrentStatementStartTimestamp();
  StartTransactionCommand();
  if (with_spi && SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
  PushActiveSnapshot(GetTransactionSnapshot());
}

static void abort_if_any() {
  if (IsTransactionState() || IsAbortedTransactionBlockState()) AbortCurrentTransaction();
}

Transaction::Transaction(Spi spi) : spi_(spi) {
  GetUserIdAndSecContext(&user_, &context_);
  const bool with_spi = spi == Spi::connected;
  try {
    guard([&] { begin(with_spi); });
  } catch (...) {
    guard_noexcept("abort a transaction that did not begin", abort_if_any);
    throw;
  }
  is_open_ = true;
}

Transaction::~Transaction() {
  if (!is_open_) return;
  guard_noexcept("abort a transaction", abort_if_any);  // also restores the user
}

void Transaction::become(unsigned int role_oid) {
  SetUserIdAndSecContext(role_oid, context_ | SECURITY_LOCAL_USERID_CHANGE);
}

void Transaction::commit() {
  const bool with_spi = spi_ == Spi::connected;
  // Two guards: SPI_finish deletes the context that was current when the first began, and a commit that raises must
  // not be left in it.
  guard([&] {
    if (with_spi) SPI_finish();
  });
  guard([] {
    PopActiveSnapshot();
    CommitTransactionCommand();
  });
  is_open_ = false;
  SetUserIdAndSecContext(user_, context_);
}

}  // namespace agent_queue::pg
