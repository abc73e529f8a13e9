// A worker's transaction as a scope: begun in the constructor, aborted in the destructor unless committed.
// Not for SQL functions: they live in their caller's transaction. Regime: guarded C++.
#pragma once

namespace agent_queue::pg {

class Transaction {
 public:
  // The launcher has no database, hence no SPI.
  enum class Spi { connected, none };

  // Starts a transaction with an active snapshot, as the bootstrap superuser.
  explicit Transaction(Spi spi = Spi::connected);
  ~Transaction();
  Transaction(const Transaction &) = delete;
  Transaction &operator=(const Transaction &) = delete;

  // From here on as this role, as ActAs does; until the end of the transaction.
  void become(unsigned int role_oid);

  // Throws PgError: then it is aborted.
  void commit();

 private:
  Spi spi_;
  bool is_open_ = false;
  unsigned int user_ = 0;
  int context_ = 0;
};

}  // namespace agent_queue::pg
