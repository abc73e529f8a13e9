#include "pg/worker/transaction_watch.hpp"

#include <stdexcept>
#include <utility>

#include "pg/pg.hpp"

namespace agent_queue::pg {

// Both are cheap reads of process memory. A violation is a bug of ours: the worker ends rather than holding a snapshot.
static void assert_no_transaction() {
  if (IsTransactionState() || ActiveSnapshotSet())
    throw std::logic_error("agent_queue: a transaction is open while the network is in use");
}

void TransactionWatch::submit(CallId id, HttpRequest request) {
  assert_no_transaction();
  inner_.submit(id, std::move(request));
}

void TransactionWatch::cancel(CallId id) {
  assert_no_transaction();
  inner_.cancel(id);
}

void TransactionWatch::forget(CallId id) {
  assert_no_transaction();
  inner_.forget(id);
}

void TransactionWatch::poll(std::vector<CallEnd> &ended) {
  assert_no_transaction();
  inner_.poll(ended);
}

}  // namespace agent_queue::pg
