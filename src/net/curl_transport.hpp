// The Transport over libcurl: thousands of calls on one thread, one descriptor to wait for.
//
//   submit() ─► Origins (may this URL be called?) ─► Transfer in a CurlShard ─► poll() drives ─► CallEnd
//
// Time-outs are kept here and not by curl: curl judges them before it reads, so that answers which lay in the socket
// while the worker was busy would be thrown away. Tested in test/unit/transport_test.cpp against
// test/support/imposter.py; measured by bench/transport_ceiling.cpp.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/curl_shard.hpp"
#include "net/transfer.hpp"
#include "ports/transport.hpp"

namespace agent_queue {

struct CurlTransportOptions {
  TransferLimits limits;
  AddressPolicy addresses;
  HostRules hosts;
  int max_connections = 10'000;  // calls in flight; more end as exhausted
  std::string ca_file;           // empty: the system's certificates
};

class CurlTransport : public Transport {
 public:
  // Initialises libcurl: in the worker only, never before a fork.
  static Result<std::unique_ptr<CurlTransport>> create(CurlTransportOptions options);
  ~CurlTransport() override;

  void submit(CallId id, HttpRequest request) override;
  void cancel(CallId id) override;
  void forget(CallId id) override;
  void poll(std::vector<CallEnd> &ended) override;
  void take_progress(std::vector<CallProgress> &progress) override;
  int in_flight() const override { return static_cast<int>(calls_.size() + untold_.size()); }

  // Readable whenever poll() has something to do. Level-triggered.
  int event_fd() const { return events_->fd(); }

  // After a configuration reload; calls in flight go on, with the new limits.
  void set_host_rules(HostRules hosts) { origins_.set_rules(std::move(hosts)); }
  void set_address_policy(AddressPolicy addresses) { context_.addresses = addresses; }
  void set_limits(TransferLimits limits) { context_.limits = limits; }
  void set_max_connections(int most) { options_.max_connections = most; }

 private:
  CurlTransport(CurlTransportOptions options, std::unique_ptr<EventPoll> events, CurlShare share);

  void refuse(CallId id, TransportError error, std::string message);
  Transfer *take_transfer(Origin &origin);
  Transfer *make_transfer(bool https);
  CurlShard *roomy_shard(bool https);
  void start(Transfer &transfer);
  bool drive_sockets(int most);
  bool drive_timers();
  void release_parked();
  void collect(std::vector<CallEnd> &ended);
  void collect_from(CurlShard &shard, std::vector<CallEnd> &ended);
  void fail_parked(Origin &origin, std::vector<CallEnd> &ended);
  void sweep(std::vector<CallEnd> &ended);
  void gather_progress();
  void retire(Transfer &transfer);
  SteadyTime next_curl_due() const;
  SteadyTime next_wake() const;

  // In order of construction; the destructor takes them down from the end.
  CurlTransportOptions options_;
  std::unique_ptr<EventPoll> events_;
  TransferContext context_;
  Origins origins_;
  CurlShare share_;
  std::vector<std::unique_ptr<CurlShard>> shards_;
  std::vector<std::unique_ptr<Transfer>> transfers_;
  std::unordered_map<std::uint64_t, Transfer *> calls_;
  std::vector<CallEnd> untold_;  // refused by submit() or cancelled: told by the next poll()
  std::vector<CallProgress> progress_;
  std::vector<std::size_t> expired_;
  int polls_without_sweep_ = 0;
  std::size_t next_timer_shard_ = 0;
};

}  // namespace agent_queue
