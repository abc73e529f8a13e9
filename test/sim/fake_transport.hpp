// Transport in virtual time, and the providers behind it. Each call gets its end and its delay from the seed when it
// is submitted. A job is recognised by the mark "#17#" that its request carries through the prompt.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ports/transport.hpp"
#include "sim/database.hpp"
#include "sim/faults.hpp"

namespace agent_queue::sim {

// How the providers behave at the moment; shared by all transports.
struct Weather {
  int trouble_percent = 10;  // of the calls; the rest is answered well
  Micros delay_max{std::chrono::seconds(2)};
};

class FakeTransport : public Transport {
 public:
  FakeTransport(Database &database, Faults &faults, Random &random, const Weather &weather, ClaimToken claim)
      : database_(database), faults_(faults), random_(random), weather_(weather), claim_(claim) {}

  void submit(CallId id, HttpRequest request) override;
  void cancel(CallId id) override;
  void forget(CallId id) override;
  void poll(std::vector<CallEnd> &ended) override;
  void take_progress(std::vector<CallProgress> &progress) override;
  int in_flight() const override { return static_cast<int>(calls_.size()); }

  // When something comes: a piece of an answer or its end.
  std::optional<SteadyTime> next_event() const;
  void set_limit(int max_in_flight) { limit_ = max_in_flight; }

 private:
  struct Planned {
    AttemptKey key;
    AnswerKind kind = AnswerKind::good;
    Micros retry_after{0};
    SteadyTime at;
    CallEnd end;
    // Of a streamed answer:
    std::deque<std::pair<SteadyTime, std::string>> pieces;
    SteadyTime sent_at;
    bool is_endless = false;  // its connection does not end by itself
    bool has_spoken = false;  // a piece of it was delivered

    bool has_ended(SteadyTime now) const { return !is_endless && at <= now; }
  };

  AnswerKind choose_kind(bool is_streamed);
  void plan_stream(Planned &planned);
  std::string make_events(AnswerKind kind);
  void check_allowed(const HttpRequest &request, JobId id);
  CallEnd make_end(CallId id, AnswerKind kind, Micros retry_after);
  HttpResponse make_response(AnswerKind kind, Micros retry_after);

  Database &database_;
  Faults &faults_;
  Random &random_;
  const Weather &weather_;
  ClaimToken claim_;
  std::map<std::uint64_t, Planned> calls_;
  std::vector<CallProgress> progress_;
  int limit_ = 1;
};

// The job that the mark names; 0: there is none.
JobId marked_job(const std::string &text);
std::string job_mark(std::int64_t id);

}  // namespace agent_queue::sim
