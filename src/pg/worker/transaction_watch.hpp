// The promise that no transaction is open while the network is in use, kept by a machine: a Transport that refuses to
// work inside one.
#pragma once

#include "ports/transport.hpp"

namespace agent_queue::pg {

class TransactionWatch final : public Transport {
 public:
  explicit TransactionWatch(Transport &inner) : inner_(inner) {}
  void submit(CallId id, HttpRequest request) override;
  void cancel(CallId id) override;
  void forget(CallId id) override;
  void poll(std::vector<CallEnd> &ended) override;
  void take_progress(std::vector<CallProgress> &progress) override { inner_.take_progress(progress); }
  int in_flight() const override { return inner_.in_flight(); }

 private:
  Transport &inner_;
};

}  // namespace agent_queue::pg
